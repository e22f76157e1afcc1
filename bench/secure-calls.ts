// What mTLS of ours costs a server beside plain TLS by hand: CPU time per keep-alive call, the same handler, one server
// after the other in rounds, forth and back, the lower quartile of the rounds. Run it alone: `node bench/secure-calls.ts`. Not part of `npm run bench`.
import { fork } from 'node:child_process';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/core/clock.ts';
import { admit, createServer } from '../src/inbound/server.ts';
import { Inbound } from '../src/mesh/inbound.ts';
import { ADMISSION_DEFAULTS } from '../src/model/inbound.ts';
import { authority } from '../test/identity/certificates.ts';
import { FixedIdentity, identityOf } from '../test/support/fixed-identity.ts';
import { quantile } from './statistics.ts';

const SERVERS = [
  'TLS by hand',
  'TLS by hand, two headers with the answer',
  'TLS by hand, calls of the mesh (admit)',
  'mTLS of the mesh (strict), no admission',
  'mTLS of the mesh (strict)',
] as const;
type ServerName = (typeof SERVERS)[number];

const ROUNDS = 11;
const WARM_UP_CALLS = 15_000;
const CALLS = 5_000;
const AT_ONCE = 8;
const BODY = 'x'.repeat(64);
const REQUEST = Buffer.from('GET /orders/17?x=1 HTTP/1.1\r\nHost: localhost:8443\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n');

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
  const admission = name === 'mTLS of the mesh (strict), no admission' ? null : ADMISSION_DEFAULTS;
  inbound.update({ mtls: 'strict', admission }, { identity: new FixedIdentity(identity) });
  const mesh = { clock: systemClock, inbound };
  const handler: Parameters<typeof createServer>[1] = (_request, response) => void response.end(BODY);
  const tls = { cert: identity.chain.join('\n'), key: identity.key };
  const strict = (): ReturnType<typeof createServer> => createServer(mesh, handler);
  const made = {
    'TLS by hand': () => createHttpsServer(tls, (asked, response) => void handler(asked, response)),
    'TLS by hand, two headers with the answer': () =>
      createHttpsServer(tls, (_asked, response) => {
        response.setHeader('x-one', '0.00');
        response.setHeader('x-two', 'a');
        response.end(BODY);
      }),
    'TLS by hand, calls of the mesh (admit)': () => createHttpsServer(tls, admit(mesh, handler)),
    'mTLS of the mesh (strict), no admission': strict,
    'mTLS of the mesh (strict)': strict,
  };
  const server = made[name]();
  // A round of the others may take long.
  server.keepAliveTimeout = 60_000;
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

/** A connection that makes one call after the other and costs next to nothing itself, so that the server is never waited for by it. */
class Line {
  readonly #socket: TLSSocket;
  #onAnswer: () => void = () => {};

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!text.endsWith(`\r\n\r\n${BODY}`)) return;
      text = '';
      this.#onAnswer();
    });
  }

  static open({ port, ca, cert, key }: Client): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca, cert, key, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(new Line(socket)));
    });
  }

  call(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
      this.#socket.write(REQUEST);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function load(lines: readonly Line[], calls: number): Promise<void> {
  let left = calls;
  const one = async (line: Line): Promise<void> => {
    while (left-- > 0) await line.call();
  };
  await Promise.all(lines.map(one));
}

async function measure(): Promise<void> {
  const running = await Promise.all(
    SERVERS.map(async (name) => {
      const child = fork(fileURLToPath(import.meta.url), [name], { execArgv: ['--min-semi-space-size=16'] });
      const told = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
      const client = await told<Client>();
      const lines = await Promise.all(Array.from({ length: AT_ONCE }, () => Line.open(client)));
      const usedUs = (): Promise<number> => {
        const answer = told<number>();
        child.send('time');
        return answer;
      };
      return { name, child, lines, usedUs, perCallUs: [] as number[] };
    }),
  );
  for (const { lines } of running) await load(lines, WARM_UP_CALLS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { lines, usedUs, perCallUs } of round % 2 === 0 ? running : running.toReversed()) {
      await usedUs();
      await load(lines, CALLS);
      perCallUs.push((await usedUs()) / CALLS);
    }
  }
  const costs = running.map(({ perCallUs }) => quantile(perCallUs, 0.25));
  running.forEach(({ name, child, lines }, i) => {
    const ratio = (costs[i] ?? 0) / (costs[0] ?? 1);
    process.stdout.write(`${name.padEnd(44)} ${(costs[i] ?? 0).toFixed(1).padStart(6)} µs per call  × ${ratio.toFixed(2)}\n`);
    for (const line of lines) line.close();
    child.disconnect();
  });
}

const [, , name] = process.argv;
if (name === undefined) await measure();
else serve(name as ServerName);
