// What a runtime that is not Node can do with the package as it is published: the core over undici and over the runtime's own fetch,
// then what it can do besides. Prints one JSON line. Run by `npm run compat`: probe.mjs <URL of dist/>, and PEERS in the environment.
import { createRequire } from 'node:module';
import { CORE, coreConfig, OVER_FETCH, runCases } from './cases.ts';

const [dist] = process.argv.slice(2);
const peers = JSON.parse(process.env.PEERS);
const load = (name) => import(new URL(`${name}.js`, dist).href);
const { createMesh } = await load('index');
const { overFetch } = await load('fetch');

const text = async (mesh, url, init) => (await mesh.fetch(url, init)).text();
const has = (got, wanted) => {
  if (!String(got).includes(wanted)) throw new Error(`got ${got}`);
};
const meshOf = (service) => createMesh({ config: { services: { it: { timeout: '5s', retries: false, ...service } } } });

async function within(mesh, run) {
  try {
    await run(mesh);
  } finally {
    await mesh.close({ drainMs: 0 });
  }
}

function echo(grpc, mesh, { grpcClient }) {
  const same = (bytes) => bytes;
  const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  const Echo = grpc.makeGenericClientConstructor({
    unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...codec },
  });
  const client = grpcClient(mesh, Echo, 'it', { grpc });
  return new Promise((resolve, reject) => {
    client.unary(Buffer.from('hello'), (error, value) => (error === null ? resolve(String(value)) : reject(error)));
  });
}

const MORE = {
  'TLS, roots of our own': async () =>
    within(await meshOf({ endpoints: [peers.tls], tls: { mode: 'simple', ca: peers.ownCa, serverName: 'secure' } }), async (mesh) =>
      has(await text(mesh, 'http://it/'), 'somebody else'),
    ),
  'TLS, a peer that nobody vouches for is refused': async () =>
    within(await meshOf({ endpoints: [peers.tls], tls: { mode: 'simple', serverName: 'secure' } }), async (mesh) =>
      has(await text(mesh, 'http://it/').catch(({ code }) => code), 'peer_untrusted'),
    ),
  'mutual TLS': async () =>
    within(
      await meshOf({ endpoints: [peers.mutual], tls: { mode: 'mutual', serverName: 'secure', ca: peers.ownCa, ...peers.own } }),
      async (mesh) => has(await text(mesh, 'http://it/'), 'a certificate of ours'),
    ),
  'HTTP/2, plain': async () =>
    within(await meshOf({ endpoints: [peers.h2c], protocol: 'http2' }), async (mesh) => has(await text(mesh, 'http://it/a'), '"url":"/a"')),
  'HTTP/2 over TLS': async () =>
    within(
      await meshOf({ endpoints: [peers.h2], protocol: 'http2', tls: { mode: 'simple', ca: peers.ca, serverName: 'secure' } }),
      async (mesh) => has(await text(mesh, 'http://it/a'), '"url":"/a"'),
    ),
  gRPC: async () => {
    const grpc = createRequire(dist)('@grpc/grpc-js');
    const inmesh = await load('grpc');
    await within(await meshOf({ endpoints: [peers.grpc] }), async (mesh) => has(await echo(grpc, mesh, inmesh), 'hello'));
  },
  'configuration from a file': async () => {
    const { rmSync, writeFileSync } = await import('node:fs');
    const path = `${peers.scratch}/mesh-${process.pid}.yaml`;
    writeFileSync(path, `services:\n  it: { endpoints: ['${peers.healthy}'] }\n`);
    try {
      await within(await createMesh({ config: path, watch: false }), async (mesh) => has(await text(mesh, 'http://it/a'), '"url":"/a"'));
    } finally {
      rmSync(path);
    }
  },
  'a server of ours': async () => {
    const { createServer } = await load('server');
    const mesh = await createMesh({ config: { services: { it: { endpoints: [peers.healthy] } }, inbound: {} } });
    const server = createServer(mesh, (_request, response) => response.end('served'));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const thrown = new Promise((_, reject) => process.once('uncaughtException', reject));
    const answered = fetch(`http://127.0.0.1:${server.address().port}/`).then((response) => response.text());
    await within(mesh, async () => has(await Promise.race([thrown, answered]), 'served'));
  },
  'inmesh/testing': async () => {
    const { simulate } = await load('testing');
    const result = await simulate({ load: 50, durationMs: 2_000 });
    if (!(result.stats().calls > 0)) throw new Error('no calls');
  },
};

const onCore = async (cases, transport) => {
  const mesh = await createMesh({ config: coreConfig(peers), ...transport });
  const results = await runCases(cases, mesh);
  await mesh.close({ drainMs: 0 });
  return results;
};

const results = {
  undici: await onCore(CORE, {}),
  fetch: await onCore(CORE, overFetch()),
  more: [...(await runCases(MORE)), ...(await onCore(OVER_FETCH, overFetch()))],
};
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
