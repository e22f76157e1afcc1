import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import type { ServiceInput } from '../../src/model/input.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { rawH2 } from '../interop/faults/raw-h2-server.ts';
import { closedPort, idle, OK, type RawServer, rawServer, realWire, type RealWire, type WireInit } from './real-wire.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function server(onRequest: (socket: Socket, nth: number) => void, onConnection?: (socket: Socket) => void): Promise<RawServer> {
  const made = await rawServer(onRequest, onConnection);
  closers.push(made.close);
  return made;
}

function wireTo(port: number, init: WireInit = {}): RealWire {
  const wire = realWire(port, init);
  closers.push(() => wire.transport.close());
  return wire;
}

async function meshOf(service: ServiceInput): Promise<Mesh> {
  const mesh = await createMesh({ config: { services: { reviews: { circuitBreaker: false, outlierDetection: false, ...service } } } });
  closers.push(() => mesh.close({ drainMs: 0 }));
  return mesh;
}

const NO = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno';
const answer = (socket: Socket): void => void socket.write(OK);

/** Answers when told. */
function held(): { readonly onRequest: (socket: Socket) => void; answerAll(): void; readonly waiting: Socket[] } {
  const waiting: Socket[] = [];
  return {
    waiting,
    onRequest: (socket) => void waiting.push(socket),
    answerAll() {
      for (const socket of waiting.splice(0)) answer(socket);
    },
  };
}

describe('sockets', () => {
  it('that are too old are closed when they are next asked for, within the limit of the service', async () => {
    const endpoint = await server(answer);
    const clock = new VirtualClock();
    const wire = wireTo(endpoint.port, { clock, limits: { maxConnections: 1 }, connections: { maxAgeMs: 1_000 } });
    for (const [afterMs, accepted] of [
      [0, 1],
      [1_000, 1],
      [1, 2],
      [1_000, 2],
    ] as const) {
      clock.advance(afterMs);
      expect([await wire.outcome(), endpoint.accepted()]).toEqual(['200 ok', accepted]);
    }
  });

  it('that are too old are closed although calls wait for them all the time', async () => {
    const endpoint = await server(answer);
    const clock = new VirtualClock();
    const wire = wireTo(endpoint.port, { clock, limits: { maxConnections: 1 }, connections: { maxAgeMs: 1_000 } });
    const calls = Array.from({ length: 20 }, async () => {
      const outcome = await wire.outcome();
      clock.advance(300);
      return outcome;
    });
    expect([new Set(await Promise.all(calls)), endpoint.requests()]).toEqual([new Set(['200 ok']), 20]);
    expect(endpoint.accepted()).toBeGreaterThanOrEqual(4);
  });

  it('twenty answers of 503 in a row, each retried elsewhere, need two sockets to each endpoint', async () => {
    const [sick, healthy] = [await server((socket) => socket.write(NO)), await server(answer)];
    const mesh = await meshOf({
      endpoints: [`127.0.0.1:${sick.port}`, `127.0.0.1:${healthy.port}`],
      loadBalancer: 'roundRobin',
      retries: { backoff: { base: 1, max: 2 } },
      retryBudget: { tokens: 100 },
    });
    for (let i = 0; i < 20; i++) expect((await mesh.fetch('http://reviews/')).status).toBe(200);
    expect(sick.requests()).toBeGreaterThanOrEqual(10);
    expect(sick.accepted()).toBeLessThanOrEqual(2);
    expect(healthy.accepted()).toBeLessThanOrEqual(2);
  });

  it.each([1, 3])('never more than maxConnections: %i', async (maxConnections) => {
    let most = 0;
    const busy = await server(
      (socket) => setImmediate(answer, socket),
      () => {
        most = Math.max(most, busy.sockets.size);
      },
    );
    const wire = wireTo(busy.port, { limits: { maxConnections } });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => wire.outcome()));
    expect([new Set(outcomes), most, busy.requests(), wire.shared.pending]).toEqual([new Set(['200 ok']), maxConnections, 50, 0]);
  });

  it('HTTP/2 shares one connection, and opens another for each hundred calls at once', async () => {
    const open: (() => void)[] = [];
    const busy = await rawH2((peer, stream) => {
      open.push(() => peer.head(stream, {}, true));
    });
    closers.push(busy.close);
    const wire = wireTo(busy.port, { protocol: 'http2' });
    const calls = Array.from({ length: 250 }, () => wire.outcome());
    while (open.length < 250) await idle();
    expect([busy.accepted(), wire.shared.pending]).toEqual([3, 0]);
    for (const respond of open) respond();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['200']));
  });

  it('maxConnections is what all endpoints have together, whichever has the calls', async () => {
    const { onRequest, answerAll, waiting } = held();
    const [one, two] = [await server(onRequest), await server(onRequest)];
    const first = wireTo(one.port, { limits: { maxConnections: 5 } });
    const second = wireTo(two.port, { shared: first.shared });
    const calls = Array.from({ length: 8 }, () => first.outcome());
    while (waiting.length < 5) await idle();
    calls.push(second.outcome());
    await idle();
    expect([one.sockets.size, two.sockets.size, waiting.length]).toEqual([5, 0, 5]);
    // Who has no socket gets the next one, however many wait elsewhere.
    answer(waiting.shift() as Socket);
    while (two.requests() < 1) await idle();
    expect([one.sockets.size, two.sockets.size, one.requests()]).toEqual([4, 1, 5]);
    while (waiting.length > 0) {
      answerAll();
      for (let turn = 0; turn < 10; turn++) await idle();
      expect(one.sockets.size + two.sockets.size).toBeLessThanOrEqual(5);
    }
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['200 ok']));
    expect(first.shared.pending).toBe(0);
  });

  it('an idle socket of another endpoint makes room', async () => {
    const [one, two] = [await server(answer), await server(answer)];
    const first = wireTo(one.port, { limits: { maxConnections: 2 } });
    const second = wireTo(two.port, { shared: first.shared });
    await Promise.all([first.outcome(), first.outcome()]);
    await idle();
    expect([one.sockets.size, two.sockets.size]).toEqual([2, 0]);
    expect(await second.outcome()).toBe('200 ok');
    while (one.sockets.size > 1) await idle();
    expect([one.sockets.size, two.sockets.size]).toEqual([1, 1]);
  });

  it('more endpoints than maxConnections: each may have one', async () => {
    const { onRequest, answerAll, waiting } = held();
    const servers = [await server(onRequest), await server(onRequest), await server(onRequest)];
    const first = wireTo(servers[0]?.port as number, { limits: { maxConnections: 2 } });
    const wires = [first, ...servers.slice(1).map(({ port }) => wireTo(port, { shared: first.shared }))];
    const calls = wires.flatMap((wire) => [wire.outcome(), wire.outcome()]);
    while (waiting.length < 4) await idle();
    await idle();
    // The first took both before anybody else was known.
    expect(servers.map(({ sockets }) => sockets.size)).toEqual([2, 1, 1]);
    answerAll();
    while (waiting.length < 2) await idle();
    answerAll();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 6 }, () => '200 ok'));
  });

  it('maxPendingRequests refuses the one too many', async () => {
    const { onRequest, answerAll, waiting } = held();
    const busy = await server(onRequest);
    const wire = wireTo(busy.port, { limits: { maxConnections: 1, maxPendingRequests: 2 } });
    const running = wire.outcome();
    while (waiting.length < 1) await idle();
    const queued = [wire.outcome(), wire.outcome()];
    const refused = wire.send();
    await expect(refused.reply).rejects.toMatchObject({ code: 'overloaded' });
    expect([refused.call.outcome?.kind, wire.shared.pending]).toEqual(['ignored', 2]);
    for (let i = 0; i < 3; i++) {
      while (waiting.length < 1) await idle();
      answerAll();
    }
    expect(await Promise.all([running, ...queued])).toEqual(['200 ok', '200 ok', '200 ok']);
    expect([wire.shared.pending, await Promise.race([wire.outcome(), idle().then(() => 'taken')])]).toEqual([0, 'taken']);
  });

  it('a call that is given up while it waits makes room, and costs no socket', async () => {
    const { onRequest, answerAll, waiting } = held();
    const busy = await server(onRequest);
    const wire = wireTo(busy.port, { limits: { maxConnections: 1, maxPendingRequests: 1 } });
    const running = wire.outcome();
    while (waiting.length < 1) await idle();
    const queued = wire.send();
    queued.call.cancel('gone');
    expect([await queued.outcome, wire.shared.pending]).toEqual(['canceled none', 0]);
    const next = wire.outcome();
    answerAll();
    expect(await running).toBe('200 ok');
    while (waiting.length < 1) await idle();
    answerAll();
    expect([await next, busy.accepted(), busy.requests()]).toEqual(['200 ok', 1, 2]);
  });

  it.each([
    [1, 4],
    [2, 2],
    [0, 1],
  ])('maxRequestsPerConnection %i: four calls, %i sockets', async (maxRequestsPerConnection, sockets) => {
    const plain = await server(answer);
    const wire = wireTo(plain.port, { limits: { maxRequestsPerConnection, maxConnections: 1 } });
    for (let i = 0; i < 4; i++) {
      expect(await wire.outcome()).toBe('200 ok');
      await idle();
    }
    expect(plain.accepted()).toBe(sockets);
  });

  it.each([
    ['ends', (socket: Socket) => void socket.end()],
    ['resets', (socket: Socket) => void socket.resetAndDestroy()],
  ])('a server that %s idle sockets: 300 calls, none fails', async (_, hangUp) => {
    let requests = 0;
    const rude = await server((socket) => {
      socket.write(OK);
      // Sometimes at once, sometimes when the next call may be on its way.
      const turns = requests++ % 5;
      let turn = 0;
      const later = (): void => void (turn++ < turns ? setImmediate(later) : hangUp(socket));
      later();
    });
    const mesh = await meshOf({
      endpoints: [`127.0.0.1:${rude.port}`],
      retries: { backoff: { base: 1, max: 2 } },
      retryBudget: { tokens: 1_000 },
    });
    let failed = 0;
    for (let i = 0; i < 300; i++) {
      const text = await mesh.fetch('http://reviews/').then(
        (response) => response.text(),
        () => '',
      );
      if (text !== 'ok') failed++;
    }
    expect(failed).toBe(0);
  });
});

it('a body that nobody reads is told of with its endpoint, and ends by the deadline', async () => {
  const { port } = await server((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5000000\r\n\r\nbegun'));
  const clock = new VirtualClock();
  const { send, shared } = wireTo(port, { clock });
  const told: [string, number][] = [];
  shared.onBodyUnread = ({ address }, forMs) => told.push([address, forMs]);
  const { call, reply } = send({ deadlineMs: clock.now() + 60_000 });
  (await reply).pause();
  clock.advance(30_000);
  expect(told).toEqual([[`127.0.0.1:${port}`, 30_000]]);
  clock.advance(30_000);
  expect([told.length, call.outcome?.error?.code]).toEqual([1, 'deadline_exceeded']);
});

describe('closing', () => {
  it('loses none of the calls under way, and takes no more', async () => {
    const { onRequest, answerAll, waiting } = held();
    const busy = await server(onRequest);
    const wire = wireTo(busy.port, { limits: { maxConnections: 2 } });
    const calls = Array.from({ length: 6 }, () => wire.outcome());
    while (waiting.length < 2) await idle();
    wire.transport.close();
    const late = wire.send();
    expect([await late.outcome, late.call.outcome?.kind]).toEqual(['connect_failed none retryable', 'ignored']);
    for (let i = 0; i < 3; i++) {
      while (waiting.length < 2) await idle();
      answerAll();
    }
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 6 }, () => '200 ok'));
    while (busy.sockets.size > 0) await idle();
    expect(wire.shared.pending).toBe(0);
  });

  it('loses none over HTTP/2 either', async () => {
    const open: (() => void)[] = [];
    const busy = await rawH2((peer, stream) => {
      open.push(() => {
        peer.head(stream);
        peer.data(stream, 'ok', true);
      });
    });
    closers.push(busy.close);
    const wire = wireTo(busy.port, { protocol: 'http2' });
    const calls = Array.from({ length: 6 }, () => wire.outcome());
    while (open.length < 6) await idle();
    wire.transport.close();
    expect(await wire.outcome()).toBe('connect_failed none retryable');
    for (const respond of open) respond();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 6 }, () => '200 ok'));
    while (busy.sockets.size > 0) await idle();
    expect([busy.accepted(), wire.shared.pending]).toEqual([1, 0]);
  });

  it('of a mesh waits for the calls under way', async () => {
    const { onRequest, answerAll, waiting } = held();
    const busy = await server(onRequest);
    const mesh = await meshOf({ endpoints: [`127.0.0.1:${busy.port}`] });
    const answers = Array.from({ length: 5 }, async () => (await mesh.fetch('http://reviews/')).text());
    while (waiting.length < 5) await idle();
    const closed = mesh.close();
    await expect(mesh.fetch('http://reviews/')).rejects.toMatchObject({ code: 'closed' });
    answerAll();
    expect(await Promise.all(answers)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    await closed;
    while (busy.sockets.size > 0) await idle();
  });
});

describe('the last hop', () => {
  async function headOf(init: Parameters<RealWire['send']>[0], change: (wire: RealWire) => void = () => {}): Promise<string[]> {
    let head = '';
    const plain = await server(answer, (socket) => socket.on('data', (chunk) => (head += chunk.toString('latin1'))));
    const wire = wireTo(plain.port, { clock: new VirtualClock() });
    change(wire);
    await wire.outcome(init);
    return (head.split('\r\n\r\n')[0] ?? '').split('\r\n').sort();
  }

  it('writes host and remaining time', async () => {
    expect(await headOf({ authority: 'reviews:8080', deadlineMs: 3_000, headers: ['x-a', '1'], path: '/p?q' })).toEqual([
      'GET /p?q HTTP/1.1',
      'connection: keep-alive',
      'host: reviews:8080',
      'x-a: 1',
      'x-envoy-expected-rq-timeout-ms: 2000',
    ]);
  });

  it('writes no time when there is no deadline', async () => {
    expect(await headOf({})).toEqual(['GET / HTTP/1.1', 'connection: keep-alive', 'host: reviews']);
  });

  it('a body over the limit has its length', async () => {
    expect(await headOf({ method: 'PUT', content: 'x'.repeat(70_000) })).toContain('content-length: 70000');
    expect(await headOf({ method: 'PUT', content: 'xy' })).toContain('content-length: 2');
  });

  it('says which attempt it is from the second on', async () => {
    const seen: string[] = [];
    const plain = await server(
      (socket, nth) => socket.write(nth < 3 ? NO : OK),
      (socket) => socket.on('data', (chunk) => seen.push(/x-envoy-attempt-count: (\d+)/.exec(chunk.toString())?.[1] ?? '-')),
    );
    const mesh = await meshOf({
      endpoints: [`127.0.0.1:${plain.port}`],
      limits: { maxConnections: 1 },
      retries: { backoff: { base: 1, max: 2 } },
    });
    expect((await mesh.fetch('http://reviews/', { headers: { 'x-envoy-attempt-count': '7' } })).status).toBe(200);
    expect(seen).toEqual(['-', '2', '3']);
  });

  it('a long body goes to another endpoint when the first refuses the connection', async () => {
    const healthy = await server(
      () => {},
      (socket) => {
        let bytes = 0;
        socket.on('data', (chunk) => {
          bytes += chunk.length;
          if (bytes > 1_000_000) answer(socket);
        });
      },
    );
    const mesh = await meshOf({ endpoints: [`127.0.0.1:${await closedPort()}`, `127.0.0.1:${healthy.port}`], loadBalancer: 'roundRobin' });
    for (let i = 0; i < 4; i++) {
      const body = i % 2 === 0 ? Buffer.alloc(1_000_001, 'x') : ReadableStream.from([Buffer.alloc(500_001), Buffer.alloc(500_001)]);
      const response = await mesh.fetch('http://reviews/', { method: 'POST', body, duplex: 'half' } as RequestInit);
      expect(await response.text()).toBe('ok');
    }
  });

  it('a certificate that cannot be read is an error of the call that needs it', async () => {
    const wire = wireTo(1, { tls: { mode: 'disable', ca: '/no/such/file.pem' } });
    expect([await wire.outcome({ scheme: 'https' }), wire.shared.pending]).toEqual(['protocol_error none', 0]);
  });

  it('an error says where', async () => {
    const port = await closedPort();
    const mesh = await meshOf({ endpoints: [`127.0.0.1:${port}`], retries: false });
    const error = (await mesh.fetch('http://reviews/').catch((reason: unknown) => reason)) as MeshError;
    expect(error).toBeInstanceOf(MeshError);
    expect(error.message).toContain(`endpoint 127.0.0.1:${port}`);
  });
});
