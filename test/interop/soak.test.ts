// Everything at once over real sockets: servers that answer, refuse, hang, reset, drip and hang up, callers that abort,
// stream and forget. Afterwards nothing may be left: no call without an end, no count, no byte, no socket, no timer.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Random } from '../../src/core/clock.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import { replayBytes } from '../../src/transport/body.ts';
import { seededRandom } from '../support/seeded-random.ts';

const CALLS = 2_000;
const AT_ONCE = 40;

const random = seededRandom(20_261);
const sockets = new Set<Socket>();
const requests: IncomingMessage[] = [];
const servers: Server[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): number => unhandled.push(reason);
let mesh: Mesh;

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

const FAULTS: readonly ((request: IncomingMessage, response: ServerResponse) => void)[] = [
  (_request, response) => void response.writeHead(503).end('no'),
  (_request, response) => void response.writeHead(503, { 'retry-after': '0' }).end('x'.repeat(100_000)),
  (incoming) => void incoming.socket.resetAndDestroy(),
  (incoming) => void incoming.socket.end(),
  () => {},
  (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('part', () => response.destroy());
  },
  (_request, response) => {
    response.writeHead(200);
    response.write('never ends');
  },
  (incoming, response) => {
    response.end('and then gone');
    setImmediate(() => incoming.socket.resetAndDestroy());
  },
];

const ANSWERS: readonly ((response: ServerResponse) => void)[] = [
  (response) => void response.end('ok'),
  (response) => void response.end('x'.repeat(200_000)),
  (response) => {
    response.write('chunk');
    setTimeout(() => response.end('ed'), 5);
  },
  (response) => void response.writeHead(204).end(),
  (response) => void response.writeHead(302, { location: '/next' }).end(),
];

async function serve(faultRate: number): Promise<string> {
  const server = createServer((incoming, response) => {
    response.on('error', () => {});
    requests.push(incoming);
    if (random() < faultRate) return pick(FAULTS)(incoming, response);
    incoming.resume().on('end', () => pick(ANSWERS)(response));
    incoming.on('error', () => {});
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function bodyOf(chance: Random): unknown {
  const text = 'y'.repeat(Math.floor(chance() ** 3 * 100_000));
  return pick([
    () => text,
    () => Buffer.from(text),
    () => Readable.from([Buffer.from(text), Buffer.from('z')]),
    () => ReadableStream.from([Buffer.from(text), Buffer.from('z')]),
    () =>
      (async function* () {
        yield Buffer.from(text);
        if (chance() < 0.1) throw new Error('the source broke');
        yield Buffer.from('z');
      })(),
  ])();
}

function initOf(): RequestInit {
  const method = pick(['GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE']);
  const init: Record<string, unknown> = { method, headers: random() < 0.3 ? { 'idempotency-key': 'k' } : {} };
  if (method === 'POST' || method === 'PUT') Object.assign(init, { body: bodyOf(random), duplex: 'half' });
  if (random() < 0.2) init.signal = AbortSignal.timeout(Math.floor(random() * 60));
  return init as RequestInit;
}

async function consume(response: Response): Promise<void> {
  const way = random();
  if (way < 0.5) await response.text();
  else if (way < 0.6) await response.body?.cancel();
  else if (way < 0.8) for await (const _chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) if (random() < 0.1) break;
  // Else it is forgotten.
}

async function call(): Promise<string> {
  const init = initOf();
  const way = random();
  try {
    if (way < 0.6) await consume(await mesh.fetch('http://reviews/', init));
    else if (way < 0.8) await consume(await fetch('http://reviews/', { ...init, dispatcher: mesh.dispatcher } as unknown as RequestInit));
    else {
      const { duplex: _duplex, ...rest } = init as RequestInit & { duplex?: string };
      const { body } = await request('http://reviews/', { ...(rest as object), dispatcher: mesh.dispatcher });
      if (random() < 0.8) await body.text();
      else body.on('error', () => {}).destroy();
    }
    return 'answered';
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).name;
  }
}

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled);
  const endpoints = [await serve(0.05), await serve(0.3), await serve(0.6)];
  mesh = await createMesh({
    config: {
      services: {
        reviews: {
          endpoints,
          timeout: 800,
          retries: { attempts: 2, perTryTimeout: 100, backoff: { base: 1, max: 20 } },
          retryBudget: { tokens: 100 },
          circuitBreaker: false,
          outlierDetection: { baseEjectionTime: 50, maxEjectionTime: 200 },
          limits: { maxConnections: 60, maxPendingRequests: 200 },
        },
      },
    },
  });
});

afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

describe('a soak', () => {
  it(`of ${CALLS} calls leaves nothing behind`, async () => {
    const outcomes = new Map<string, number>();
    let left = CALLS;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const outcome = await call();
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(outcomes.get('answered')).toBeGreaterThan(CALLS / 2);
    // Forgotten answers end with their deadline.
    await mesh.close();
    // A server that does not read does not see that its client has gone.
    for (const incoming of requests) incoming.resume();
    for (let i = 0; i < 200 && sockets.size > 0; i++) await sleep(10);
    const { services } = mesh.snapshot() as unknown as { services: unknown };
    const inFlight = [...JSON.stringify(services).matchAll(/"inFlight":(\d+)/g)].map(([, count]) => count);
    expect(inFlight.length).toBeGreaterThan(0);
    expect(new Set(inFlight)).toEqual(new Set(['0']));
    expect([sockets.size, replayBytes(), unhandled]).toEqual([0, 0, []]);
  });
});
