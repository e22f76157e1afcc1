// What mTLS of ours costs a server beside plain TLS by hand: CPU time per keep-alive call, the same handler, one connection
// after the other in rounds, the median of the rounds. Run it alone: `node bench/secure-calls.ts`. Not part of `npm run bench`.
import { fork } from 'node:child_process';
import { Agent, createServer as createHttpsServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/core/clock.ts';
import { admit, createServer } from '../src/inbound/server.ts';
import { Inbound } from '../src/mesh/inbound.ts';
import { ADMISSION_DEFAULTS } from '../src/model/inbound.ts';
import { authority } from '../test/identity/certificates.ts';
import { FixedIdentity, identityOf } from '../test/support/fixed-identity.ts';

const SERVERS = ['TLS by hand', 'TLS by hand, calls of the mesh (admit)', 'mTLS of the mesh (strict)'] as const;
type ServerName = (typeof SERVERS)[number];

const ROUNDS = 7;
const CALLS = 6_000;
const AT_ONCE = 8;
const BODY = 'x'.repeat(64);

interface Client {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

function serve(name: ServerName): void {
  const root = authority();
  const identity = identityOf(root, 'server');
  const caller = identityOf(root, 'caller');
  const inbound = new Inbound({ mtls: 'disable', admission: ADMISSION_DEFAULTS }, systemClock);
  inbound.update({ mtls: 'strict', admission: ADMISSION_DEFAULTS }, { identity: new FixedIdentity(identity) });
  const mesh = { clock: systemClock, inbound };
  const handler: Parameters<typeof createServer>[1] = (_request, response) => void response.end(BODY);
  const tls = { cert: identity.chain.join('\n'), key: identity.key };
  const made = {
    'TLS by hand': () => createHttpsServer(tls, (asked, response) => void handler(asked, response)),
    'TLS by hand, calls of the mesh (admit)': () => createHttpsServer(tls, admit(mesh, handler)),
    'mTLS of the mesh (strict)': () => createServer(mesh, handler),
  };
  const server = made[name]();
  server.listen(0, '127.0.0.1', () => {
    const client: Client = { port: (server.address() as AddressInfo).port, ca: root.cert, cert: caller.chain[0] ?? '', key: caller.key };
    process.send?.(client);
  });
  let last = process.cpuUsage();
  process.on('message', () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send?.(user + system);
  });
  process.on('disconnect', () => process.exit());
}

async function load({ port, ...tls }: Client, agent: Agent, calls: number): Promise<void> {
  let left = calls;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, servername: 'localhost', agent, ...tls }, (response) => {
        response.resume();
        response.on('end', resolve);
      });
      asked.on('error', reject);
      asked.end();
    });
  const line = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
}

async function measure(): Promise<void> {
  const running = await Promise.all(
    SERVERS.map(async (name) => {
      const child = fork(fileURLToPath(import.meta.url), [name]);
      const told = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
      const client = await told<Client>();
      const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
      const usedUs = (): Promise<number> => {
        const answer = told<number>();
        child.send('time');
        return answer;
      };
      await load(client, agent, CALLS);
      return { name, child, client, agent, usedUs, perCallUs: [] as number[] };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { client, agent, usedUs, perCallUs } of running) {
      await usedUs();
      await load(client, agent, CALLS);
      perCallUs.push((await usedUs()) / CALLS);
    }
  }
  const medians = running.map(({ perCallUs }) => perCallUs.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0);
  running.forEach(({ name, child, agent }, i) => {
    const ratio = (medians[i] ?? 0) / (medians[0] ?? 1);
    process.stdout.write(`${name.padEnd(44)} ${(medians[i] ?? 0).toFixed(1).padStart(6)} µs per call  × ${ratio.toFixed(2)}\n`);
    agent.destroy();
    child.disconnect();
  });
}

const [, , name] = process.argv;
if (name === undefined) await measure();
else serve(name as ServerName);
