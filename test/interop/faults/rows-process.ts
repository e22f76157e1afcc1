// Rows of the fault matrix that are about time and processes rather than bytes: what the own event loop, the clock, a reader, a
// name service and a restart do. Each says in one line what came of it.
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ServiceInput } from '../../../src/model/input.ts';
import { caller } from './caller.ts';
import { type Library, settled } from './observe.ts';
import { answerWell, illLine, type Protocol, wellServer } from './peers.ts';
import type { FaultRow, ScenarioCell } from './row.ts';
import { SHUTDOWN_WELL, shutdown } from './shutdown.ts';

type Scenario = (library: Library, protocol: Protocol) => Promise<string>;

function both(run: Scenario, expected: string, rest: Partial<ScenarioCell> = {}): FaultRow['cells'] {
  const cell = (protocol: Protocol): ScenarioCell => ({ run: (library) => run(library, protocol), expected, ...rest });
  return { http1: cell('http1'), http2: cell('http2') };
}

function all(run: Scenario, expected: string, rest: Partial<ScenarioCell> & { readonly grpcExpected?: string } = {}): FaultRow['cells'] {
  const { grpcExpected = expected, ...more } = rest;
  return { ...both(run, expected, more), grpc: { run: (library) => run(library, 'grpc'), expected: grpcExpected, ...more } };
}

function configOf(protocol: Protocol, service: ServiceInput): { services: { it: ServiceInput } } {
  return { services: { it: { ...(protocol === 'http2' ? { protocol } : {}), ...service } } };
}

const TRY_MS = 120;
const PRECISE_MS = 20;

/** The median of five, because the machine may be busy with other things. */
async function precision(library: Library, protocol: Protocol): Promise<string> {
  const peer = await illLine(protocol, { kind: 'stall' });
  peer.fall();
  const mesh = await library.createMesh({
    config: configOf(protocol, { endpoints: [peer.address], retries: { attempts: 0, perTryTimeout: TRY_MS } }),
  });
  const call = caller(library, mesh, protocol);
  const late: number[] = [];
  for (let i = 0; i < 5; i++) {
    const startMs = performance.now();
    const outcome = await call('it');
    if (!outcome.startsWith('attempt_timeout')) return outcome;
    late.push(performance.now() - startMs - TRY_MS);
  }
  await mesh.close({ drainMs: 0 });
  peer.close();
  const median = late.sort((a, b) => a - b)[2] as number;
  return Math.abs(median) <= PRECISE_MS ? 'attempt_timeout within 20 ms of its time' : `attempt_timeout ${median.toFixed(0)} ms late`;
}

const SLOW_SERVER = `
const { parentPort, workerData } = require('node:worker_threads');
const server = workerData === 'http1' ? require('node:http').createServer() : require('node:http2').createServer();
server.on('request', (request, response) => {
  if (workerData === 'grpc') {
    response.writeHead(200, { 'content-type': 'application/grpc' });
    response.addTrailers({ 'grpc-status': '0' });
  }
  setTimeout(() => response.end(workerData === 'grpc' ? Buffer.from([0, 0, 0, 0, 2, 111, 107]) : 'ok'), 30);
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** The server must go on while this loop stands still, so it has a thread of its own. */
async function stall(library: Library, protocol: Protocol): Promise<string> {
  const worker = new Worker(SLOW_SERVER, { eval: true, workerData: protocol });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const mesh = await library.createMesh({ config: configOf(protocol, { endpoints: [`127.0.0.1:${port}`], timeout: 200, retries: false }) });
  let ejected = 0;
  mesh.events.addEventListener('endpointEjected', () => {
    ejected++;
  });
  const call = caller(library, mesh, protocol);
  // The first call makes the connection.
  await call('it');
  const calls = Array.from({ length: 10 }, () => call('it'));
  await sleep(10);
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      const endMs = performance.now() + 600;
      while (performance.now() < endMs);
      resolve();
    });
  });
  const answered = (await Promise.all(calls)).filter((one) => one === '200 ok').length;
  await mesh.close({ drainMs: 0 });
  await worker.terminate();
  return `${answered} of 10 answered, ${ejected} endpoints blamed`;
}

async function clockJump(library: Library, protocol: Protocol): Promise<string> {
  const [well, mute] = [await wellServer(protocol), await illLine(protocol, { kind: 'stall' })];
  mute.fall();
  const { it } = configOf(protocol, { endpoints: [`127.0.0.1:${well.port}`] }).services;
  const mesh = await library.createMesh({
    config: { services: { it, mute: { ...it, endpoints: [mute.address], timeout: 150, retries: false } } },
  });
  const call = caller(library, mesh, protocol);
  const { now } = Date;
  const seen: string[] = [];
  try {
    for (const jumpMs of [0, 3_600_000, -3_600_000]) {
      Date.now = () => now.call(Date) + jumpMs;
      seen.push(await call('it'));
      const startMs = performance.now();
      seen.push(await call('mute'));
      const tookMs = performance.now() - startMs;
      if (tookMs < 130 || tookMs > 500) seen.push(`after ${tookMs.toFixed(0)} ms`);
    }
  } finally {
    Date.now = now;
  }
  await mesh.close({ drainMs: 0 });
  well.close();
  mute.close();
  return [...new Set(seen)].join(', ');
}

async function unread(library: Library, protocol: Protocol): Promise<string> {
  const well = await wellServer(protocol, 'x'.repeat(5_000_000));
  const limits = { maxConnections: protocol === 'http1' ? 2 : 1 };
  const mesh = await library.createMesh({ config: configOf(protocol, { endpoints: [`127.0.0.1:${well.port}`], timeout: 400, limits }) });
  const bodies = await Promise.all([mesh.fetch('http://it/'), mesh.fetch('http://it/')]);
  const third = await mesh.fetch('http://it/', { method: 'GET', mesh: { timeout: 5_000 } });
  const text = await third.text();
  // Longer than the deadline of those that nobody reads.
  await sleep(450);
  const ends = await Promise.all(
    bodies.map((one) =>
      one.text().then(
        ({ length }) => `${length} bytes`,
        (error: { code?: string }) => error.code,
      ),
    ),
  );
  const left = await settled(mesh);
  await mesh.close({ drainMs: 0 });
  well.close();
  return `the third call ${third.status} with ${text.length} bytes, the unread ones ${[...new Set(ends)].join()}, ${left} under way`;
}

async function nxdomain(library: Library, protocol: Protocol): Promise<string> {
  const well = await wellServer(protocol);
  let asked = 0;
  const gone = (): Promise<never> => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const resolver = {
    resolve4: () => (asked++ === 0 ? Promise.resolve([{ address: '127.0.0.1', ttl: 1 }]) : gone()),
    resolve6: gone,
    resolveSrv: gone,
    lookup: gone,
  };
  const mesh = await library.createMesh({ config: configOf(protocol, { dns: `reviews.test:${well.port}` }), resolver });
  await mesh.ready();
  const call = caller(library, mesh, protocol);
  const before = await call('it');
  for (let i = 0; i < 200 && asked < 2; i++) await sleep(20);
  const after = await call('it');
  await mesh.close({ drainMs: 0 });
  well.close();
  return `${before} before, ${after} after ${asked > 1 ? 'NXDOMAIN' : 'nobody asked again'}`;
}

const LOAD_MS = 2_500;
const LONG_LOAD_MS = 25_000;
const AT_ONCE = 20;

/** One of two servers that goes away and comes back: killed, or ended as Node ends it. */
async function restart(
  library: Library,
  protocol: Protocol,
  isGraceful: boolean,
  retries: NonNullable<ServiceInput['retries']>,
  forMs: number,
): Promise<number[]> {
  const sockets = new Set<Socket>();
  const start = async (port: number): Promise<Server> => {
    const server = (protocol === 'http1' ? createServer() : createHttp2()) as unknown as Server;
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    server.on('request', (_request, response) => setTimeout(() => answerWell(protocol, response, 'ok'), 2));
    server.on('session', (session: { close(): void; on(name: string, listener: () => void): void }) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return server;
  };
  const sessions = new Set<{ close(): void }>();
  const well = await wellServer(protocol);
  let server = await start(0);
  const { port } = server.address() as AddressInfo;
  const endpoints = [`127.0.0.1:${port}`, `127.0.0.1:${well.port}`];
  const mesh = await library.createMesh({ config: configOf(protocol, { endpoints, retries, retryBudget: { tokens: 1_000 } }) });
  const call = caller(library, mesh, protocol);
  const endMs = performance.now() + forMs;
  let [calls, failed] = [0, 0];
  const work = async (): Promise<void> => {
    while (performance.now() < endMs) {
      calls++;
      if ((await call('it')) !== '200 ok') failed++;
    }
  };
  const restarting = async (): Promise<void> => {
    await sleep(forMs / 3);
    const closed = new Promise((resolve) => server.close(resolve));
    if (isGraceful) for (const session of sessions) session.close();
    else for (const socket of sockets) socket.resetAndDestroy();
    await closed;
    await sleep(200);
    server = await start(port);
  };
  await Promise.all([restarting(), ...Array.from({ length: AT_ONCE }, work)]);
  await mesh.close({ drainMs: 500 });
  for (const socket of sockets) socket.destroy();
  server.close();
  well.close();
  return [calls, failed];
}

const restarted =
  (isGraceful: boolean, retries: NonNullable<ServiceInput['retries']>, shareMax: number, forMs: number = LOAD_MS): Scenario =>
  async (library, protocol) => {
    const [calls = 0, failed = 0] = await restart(library, protocol, isGraceful, retries, forMs);
    if (calls < 1_000) return `only ${calls} calls`;
    return failed <= calls * shareMax ? 'within the bar' : `${failed} of ${calls} calls failed`;
  };

/** Takes a minute: it names what shows it. */
const SEE_ROTATION = '`npm run rotation`; test/interop/rotation.test.ts, test/interop/one-port.test.ts';

export const PROCESS_ROWS: readonly FaultRow[] = [
  {
    id: 'sigterm',
    fault: 'SIGTERM to a server of ours with a call under way',
    class: '–',
    promise:
      'not ready at once; for a while calls are still taken; then no more, and what is under way is answered with connection: close or GOAWAY; exit code 0',
    cells: both(({ dist }, protocol) => shutdown(protocol, dist), SHUTDOWN_WELL),
    notFor: { grpc: 'test/inbound/grpc/health.test.ts' },
  },
  {
    id: 'rotation',
    fault: 'certificates are rotated under load',
    class: '–',
    promise: 'no call fails; the old generation is gone after the maximum age of a connection',
    cells: {},
    notFor: { http1: SEE_ROTATION, http2: SEE_ROTATION, grpc: '`npm run soak`' },
  },
  {
    id: 'dns-nxdomain',
    fault: 'the name is gone (NXDOMAIN)',
    class: 'N',
    promise: 'the last good set of endpoints is kept',
    cells: all(nxdomain, '200 ok before, 200 ok after NXDOMAIN', { isLong: true }),
  },
  {
    id: 'try-precision',
    fault: 'how late a per-try timeout is',
    class: '–',
    promise: 'at most 20 ms',
    cells: all(precision, 'attempt_timeout within 20 ms of its time'),
  },
  {
    id: 'loop-stall',
    fault: 'the own event loop stands still for 600 ms, timeout 200 ms, answers after 30 ms',
    class: '–',
    promise: 'no false timeout, no endpoint blamed',
    cells: all(stall, '10 of 10 answered, 0 endpoints blamed'),
  },
  {
    id: 'clock-jump',
    fault: 'the wall clock jumps by an hour, forth and back',
    class: '–',
    promise: 'timeouts, breakers and budgets use the monotonic clock',
    cells: all(clockJump, '200 ok, deadline_exceeded ended head', { grpcExpected: '200 ok, deadline_exceeded ended none' }),
  },
  {
    id: 'unread-body',
    fault: 'the caller does not read the bodies that it has, and all connections are taken',
    class: '–',
    promise: 'the deadline ends them and frees the connections',
    cells: both(unread, 'the third call 200 with 5000000 bytes, the unread ones deadline_exceeded, 0 under way'),
    notFor: { grpc: 'test/interop/grpc/streams.test.ts' },
  },
  {
    id: 'restart-no-retries',
    fault: 'one of two servers is killed under load and comes back; no retries',
    class: '–',
    promise: 'at most 1 in 1,000 calls of these 25 s fail: those that were under way there',
    cells: all(restarted(false, false, 0.001, LONG_LOAD_MS), 'within the bar', { isLong: true }),
  },
  {
    id: 'restart-one-retry',
    fault: 'the same, one retry after a reset',
    class: '–',
    promise: 'no call fails',
    cells: all(restarted(false, { attempts: 1, retryOn: ['connect-failure', 'refused-stream', 'reset'] }, 0), 'within the bar', {
      isLong: true,
    }),
  },
  {
    id: 'restart-graceful',
    fault: 'the same, the server ends gracefully, default retries',
    class: '–',
    promise: 'no call fails',
    cells: all(restarted(true, {}, 0), 'within the bar', { isLong: true }),
  },
];
