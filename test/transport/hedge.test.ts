// A hedge over real sockets: two ordinary attempts on the wire, the loser's socket closed, the winner's body whole.
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Call, Endpoint, Reply } from '../../src/core/call.ts';
import { type Service, wrap } from '../../src/core/service.ts';
import { BUDGET_DEFAULTS, RETRY_DEFAULTS } from '../../src/model/destination.ts';
import { HEDGE_DEFAULTS } from '../../src/model/traffic.ts';
import { Budget } from '../../src/resilience/budget.ts';
import { Hedging } from '../../src/resilience/hedging.ts';
import { retryLayer } from '../../src/resilience/retry-layer.ts';
import { testCall } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Recorder } from './fake-wire.ts';
import { idle, OK, type RawServer, rawServer, realWire } from './real-wire.ts';

const closers: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Racing {
  readonly clock: VirtualClock;
  readonly call: Call;
  readonly answer: Promise<Reply>;
  readonly first: RawServer;
  readonly second: RawServer;
  /** The socket of the attempt, when its request has come. */
  readonly sockets: [Socket | null, Socket | null];
  /** Request heads as they came. */
  readonly heads: string[];
  readonly informational: number[];
}

/** A GET that was late: both servers have it, neither has answered. */
async function racing(): Promise<Racing> {
  const clock = new VirtualClock();
  const sockets: Racing['sockets'] = [null, null];
  const heads: string[] = [];
  const servers = await Promise.all(
    ([0, 1] as const).map((index) =>
      rawServer(
        (socket) => {
          sockets[index] = socket;
        },
        (socket) => socket.on('data', (chunk) => heads.push(String(chunk))),
      ),
    ),
  );
  const [first, second] = servers as [RawServer, RawServer];
  const wires = [realWire(first.port, { clock }), realWire(second.port, { clock })] as const;
  closers.push(
    first.close,
    second.close,
    () => wires[0].transport.close(),
    () => wires[1].transport.close(),
  );
  const leaf: Service = (attempt) => {
    attempt.endpoint = { address: String(attempt.attempt) } as unknown as Endpoint;
    return (attempt.attempt === 1 ? wires[0] : wires[1]).transport.service(attempt);
  };
  const hedging = new Hedging({ ...HEDGE_DEFAULTS, extraLoad: 0.5 }, 0);
  hedging.answered();
  const deps = {
    clock,
    random: () => 0,
    budget: new Budget(BUDGET_DEFAULTS, clock.now()),
    fastestMs: () => 0,
    onRetry() {},
    onDenied() {},
  };
  const service = wrap(leaf, [retryLayer(RETRY_DEFAULTS, deps, { hedging, onHedge() {} })]);
  const call = testCall({ startedAtMs: clock.now(), deadlineMs: clock.now() + 5_000 });
  const informational: number[] = [];
  call.informational = { onInformational: (status) => informational.push(status) };
  const answer = service(call);
  answer.catch(() => {});
  while (first.requests() === 0) await idle();
  await clock.run(50);
  while (second.requests() === 0) await idle();
  return { clock, call, answer, first, second, sockets, heads, informational };
}

describe('a hedge on the wire', () => {
  it('is told from the first attempt by its number', async () => {
    const { heads } = await racing();
    expect(heads.map((head) => /x-envoy-attempt-count: (\d)/.exec(head)?.[1])).toEqual([undefined, '2']);
  });

  it('wins: the other socket is closed, and the body that comes later is whole', async () => {
    const { sockets, first, answer, call, clock } = await racing();
    sockets[1]?.write('HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello');
    const reply = await answer;
    while (first.sockets.size > 0) await idle();
    expect([reply.status, call.outcome]).toEqual([200, null]);
    const sink = new Recorder();
    reply.attach(sink);
    sockets[1]?.write(' world');
    while (call.outcome === null) await idle();
    expect([sink.text, call.outcome.kind, clock.armed]).toEqual(['hello world', 'success', 0]);
  });

  it('loses: what it says in the same moment harms nobody', async () => {
    const { sockets, second, answer, call, clock } = await racing();
    sockets[0]?.write(OK);
    sockets[1]?.write(OK);
    const reply = await answer;
    const sink = new Recorder();
    reply.attach(sink);
    while (call.outcome === null) await idle();
    expect([sink.text, call.outcome.kind]).toEqual(['ok', 'success']);
    await idle();
    expect([second.requests(), clock.armed]).toEqual([1, 0]);
  });

  it('early hints of an attempt reach the caller while nobody has won, and not from the loser', async () => {
    const { sockets, answer, informational } = await racing();
    sockets[0]?.write('HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n');
    while (informational.length === 0) await idle();
    sockets[1]?.write(OK);
    const reply = await answer;
    sockets[0]?.write('HTTP/1.1 103 Early Hints\r\n\r\n');
    await idle();
    expect([reply.status, informational]).toEqual([200, [103]]);
    reply.discard();
  });

  it('the abort of the caller closes both sockets', async () => {
    const { call, answer, first, second } = await racing();
    call.cancel('gone');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    while (first.sockets.size + second.sockets.size > 0) await idle();
    expect(call.outcome?.kind).toBe('ignored');
  });
});
