// An attempt that timed out while it waited for a socket was provably not processed: a POST goes to another endpoint, and
// not a byte of it ever leaves for the first one, even when a socket comes free later. Over real sockets.
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Call, Endpoint } from '../../src/core/call.ts';
import { type Service, wrap } from '../../src/core/service.ts';
import { BUDGET_DEFAULTS, RETRY_DEFAULTS } from '../../src/model/destination.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { retryLayer } from '../../src/resilience/retry-layer.ts';
import { requestBody } from '../../src/transport/body.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { rawH2 } from '../interop/faults/raw-h2-server.ts';
import { idle, OK, type RawServer, rawServer, realWire, type RealWire, type WireInit } from './real-wire.ts';

const closers: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function server(onRequest: (socket: Socket, nth: number) => void): Promise<RawServer> {
  const made = await rawServer(onRequest);
  closers.push(made.close);
  return made;
}

interface Pair {
  readonly clock: VirtualClock;
  readonly first: RealWire;
  readonly log: string[];
  readonly budget: Budget;
  post(): { readonly call: Call; readonly status: Promise<number | string> };
}

/** Calls go to the first endpoint, their retries to the second. */
function pairOf(firstPort: number, secondPort: number, init: WireInit): Pair {
  const clock = new VirtualClock();
  const [first, second] = [realWire(firstPort, { ...init, clock }), realWire(secondPort, { clock })];
  closers.push(
    () => first.transport.close(),
    () => second.transport.close(),
  );
  const log: string[] = [];
  const budget = new Budget(BUDGET_DEFAULTS, clock.now());
  const leaf: Service = (attempt) => {
    attempt.endpoint = { address: attempt.attempt === 1 ? 'first' : 'second' } as unknown as Endpoint;
    return (attempt.attempt === 1 ? first : second).transport.service(attempt);
  };
  const service = wrap(leaf, [
    retryLayer(
      { ...RETRY_DEFAULTS, perTryTimeoutMs: 100 },
      {
        clock,
        random: () => 0,
        budget,
        fastestMs: () => 0,
        onRetry: (condition) => log.push(`retry ${condition}`),
        onDenied: (reason) => log.push(`denied ${reason}`),
      },
    ),
  ]);
  const post: Pair['post'] = () => {
    const call = testCall({
      method: 'POST',
      headers: ['content-length', '5'],
      body: requestBody('order', 5, 65_536),
      startedAtMs: clock.now(),
      deadlineMs: clock.now() + 30_000,
    });
    return {
      call,
      status: service(call).then(
        (reply) => {
          reply.discard();
          return reply.status;
        },
        (error) => error.code,
      ),
    };
  };
  return { clock, first, log, budget, post };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await idle();
}

describe('a POST that timed out before a socket took it', () => {
  it.each(['http1', 'http2'] as const)('%s: in a TLS handshake that never ends', async (protocol) => {
    const [hole, healthy] = [await server(() => {}), await server((socket) => socket.write(OK))];
    const one = pairOf(hole.port, healthy.port, { tls: { mode: 'simple' }, protocol });
    const { status } = one.post();
    await until(() => hole.accepted() === 1);
    await one.clock.run(100);
    expect(await status).toBe(200);
    expect([hole.requests(), healthy.requests(), one.log]).toEqual([0, 1, ['retry per-try-timeout']]);
    expect(one.budget.balance(one.clock.now())).toBe(20);
  });

  it('in the queue of a full pool; the socket that comes free later does not carry it', async () => {
    const busy: Socket[] = [];
    const [full, healthy] = [await server((socket) => void busy.push(socket)), await server((socket) => socket.write(OK))];
    const one = pairOf(full.port, healthy.port, { limits: { maxConnections: 1 } });
    const running = one.first.outcome();
    await until(() => busy.length === 1);
    const { status } = one.post();
    await idle();
    await one.clock.run(100);
    expect(await status).toBe(200);
    busy[0]?.write(OK);
    expect(await running).toBe('200 ok');
    await until(() => one.first.shared.pending === 0);
    await idle();
    expect([full.requests(), full.accepted(), healthy.requests(), one.log]).toEqual([1, 1, 1, ['retry per-try-timeout']]);
    const after = one.first.outcome();
    await until(() => busy.length === 2);
    busy[1]?.write(OK);
    expect([await after, full.requests()]).toEqual(['200 ok', 2]);
  });
});

describe('a POST that timed out on a socket', () => {
  it('http1: may have been acted upon, and is not repeated', async () => {
    const [silent, healthy] = [await server(() => {}), await server((socket) => socket.write(OK))];
    const one = pairOf(silent.port, healthy.port, {});
    const { status } = one.post();
    await until(() => silent.requests() === 1);
    await one.clock.run(100);
    expect(await status).toBe('attempt_timeout');
    expect([healthy.requests(), one.log]).toEqual([0, ['denied method']]);
  });

  it('http2: may have been acted upon, and is not repeated', async () => {
    let streams = 0;
    const silent = await rawH2(() => {
      streams++;
    });
    closers.push(silent.close);
    const healthy = await server((socket) => socket.write(OK));
    const one = pairOf(silent.port, healthy.port, { protocol: 'http2' });
    const { status } = one.post();
    await until(() => streams === 1);
    await one.clock.run(100);
    expect(await status).toBe('attempt_timeout');
    expect([healthy.requests(), one.log]).toEqual([0, ['denied method']]);
  });
});
