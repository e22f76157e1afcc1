import { describe, expect, it } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import { type Layer, wrap } from '../../src/core/service.ts';
import { FAULT_DEFAULTS, type FaultPolicy } from '../../src/model/traffic.ts';
import { deadlineLayer } from '../../src/resilience/deadline-layer.ts';
import { Fault } from '../../src/route/fault.ts';
import { faultLayer } from '../../src/route/fault-layer.ts';
import { pair, type TestCallInit, testCall, testError } from '../support/fake-service.ts';
import { scriptedRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const DELAY_100 = { delay: { fixedMs: 100, percent: 100 } };
const ABORT_503 = { abort: { status: 503, percent: 100 } };
const GRPC_UNAVAILABLE = { abort: { status: 200, grpcStatus: 14, percent: 100 } };

/** The layer at one of its two places, over a leaf played by hand. */
class Rig {
  readonly clock = new VirtualClock();
  readonly fault: Fault;
  readonly server: ReturnType<typeof pair>[1];
  readonly #service: (call: Call) => Promise<Reply>;

  constructor(policy: Partial<FaultPolicy>, chances: number[] = [0], above: (clock: VirtualClock) => Layer[] = () => []) {
    const { clock } = this;
    const [leaf, server] = pair({ clock });
    this.server = server;
    const full = { ...FAULT_DEFAULTS, headers: {}, by: 'random', ...policy } as const;
    this.fault = new Fault(full, { clock, random: scriptedRandom(...chances), regex: () => () => true });
    const inherited = { clock, inherited: () => undefined };
    const fault = faultLayer(this.fault, { clock });
    this.#service = wrap(leaf, full.position === 'call' ? [fault, deadlineLayer(inherited)] : [...above(clock), fault]);
  }

  /** A logical call. */
  call(init: TestCallInit = {}) {
    return this.send(testCall({ startedAtMs: this.clock.now(), ...init }));
  }

  /** An attempt, as the retry layer makes it. */
  attempt(perTryMs = Number.POSITIVE_INFINITY, init: TestCallInit = {}) {
    const nowMs = this.clock.now();
    const logical = testCall({ startedAtMs: nowMs, deadlineMs: nowMs + 1_000, ...init });
    const attempt = logical.fork(1, nowMs);
    attempt.attemptDeadlineMs = Math.min(nowMs + perTryMs, logical.deadlineMs);
    return { logical, ...this.send(attempt) };
  }

  send(call: Call) {
    const ends: string[] = [];
    call.onEnd((_call, outcome) => ends.push(`${outcome.kind} ${outcome.error?.code ?? outcome.status} at ${outcome.endedAtMs}`));
    const answer = this.#service(call);
    answer.catch(() => {});
    return { call, answer, ends };
  }
}

async function textOf(reply: Reply): Promise<string> {
  let text = '';
  reply.attach({
    onData(chunk) {
      text += Buffer.from(chunk).toString();
      return true;
    },
    onEnd() {},
    onError() {},
  });
  return text;
}

describe('faultLayer: whom it spares', () => {
  it.each(['call', 'attempt'] as const)('position %s: the call passes through, nothing is armed or counted', async (position) => {
    const rig = new Rig({ position, ...DELAY_100, ...ABORT_503, delay: { fixedMs: 100, percent: 0 }, abort: { status: 503, percent: 0 } });
    const { answer } =
      position === 'call' ? rig.call({ timeoutMs: 0, route: null }) : rig.attempt(undefined, { deadlineMs: Number.POSITIVE_INFINITY });
    expect(rig.clock.armed).toBe(0);
    const reply = (await rig.server.next()).reply(200);
    expect(await answer).toBe(reply);
    expect([rig.fault.active, rig.fault.delays, rig.fault.aborts]).toEqual([0, 0, 0]);
  });
});

describe('faultLayer: abort', () => {
  it.each(['call', 'attempt'] as const)('position %s: answers instead, and asks nobody', async (position) => {
    const rig = new Rig({ position, ...ABORT_503 });
    const { answer, ends } = position === 'call' ? rig.call() : rig.attempt();
    const reply = await answer;
    expect([reply.status, await textOf(reply), reply.headers]).toEqual([
      503,
      'fault filter abort',
      { 'content-type': 'text/plain', 'content-length': '18', 'x-inmesh-flag': 'FI' },
    ]);
    expect([ends, rig.server.seen.length, rig.clock.armed]).toEqual([['failure 503 at 1000'], 0, 0]);
    expect([rig.fault.aborts, rig.fault.active]).toEqual([1, 0]);
  });

  it('of a gRPC call is trailers-only', async () => {
    const { answer, ends } = new Rig(GRPC_UNAVAILABLE).attempt();
    const reply = await answer;
    expect([reply.status, await textOf(reply), ends]).toEqual([200, '', ['success 200 at 1000']]);
    expect(reply.headers).toMatchObject({ 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'fault filter abort' });
  });

  it('of a HEAD has no body', async () => {
    const reply = await new Rig(ABORT_503).attempt(undefined, { method: 'HEAD' }).answer;
    expect([await textOf(reply), reply.headers['content-length']]).toEqual(['', '18']);
  });
});

describe('faultLayer: delay of a call', () => {
  it('starts the call afterwards: neither timeout nor attempt counts it', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    const { call, ends } = rig.call({ timeoutMs: 50 });
    await rig.clock.run(99);
    expect([rig.server.seen.length, rig.fault.active, rig.fault.delays]).toEqual([0, 1, 1]);
    await rig.clock.run(1);
    expect([call.startedAtMs, call.deadlineMs]).toEqual([1_100, 1_150]);
    await rig.clock.run(50);
    expect([ends, rig.fault.active, rig.clock.armed]).toEqual([['failure deadline_exceeded at 1150'], 0, 0]);
  });

  it('may be followed by an abort', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100, ...ABORT_503 });
    const { answer, ends } = rig.call();
    await rig.clock.run(100);
    expect([(await answer).status, ends, rig.server.seen.length]).toEqual([503, ['failure 503 at 1100'], 0]);
    expect([rig.fault.delays, rig.fault.aborts, rig.fault.active]).toEqual([1, 1, 0]);
  });

  it('counts as under way until the call ends, as Envoy has it', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    rig.call();
    await rig.clock.run(100);
    expect(rig.fault.active).toBe(1);
    (await rig.server.next()).reply(200).end();
    expect(rig.fault.active).toBe(0);
  });

  it('ends with the abort of the caller, at once', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    const { call, answer, ends } = rig.call();
    rig.clock.advance(30);
    call.cancel('enough');
    await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'enough', sent: 'none' });
    expect([ends, rig.clock.armed, rig.fault.active]).toEqual([['ignored canceled at 1030'], 0, 0]);
    await rig.clock.run(1_000);
    expect(rig.server.seen).toHaveLength(0);
  });

  it('afterwards the abort of the caller reaches the leaf', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    const { call, answer } = rig.call();
    await rig.clock.run(200);
    call.cancel('enough');
    await expect(answer).rejects.toMatchObject({ code: 'canceled' });
    expect([rig.server.seen.length, rig.clock.armed]).toEqual([1, 0]);
  });

  it('afterwards it is no business of the delay whether the caller gives up', async () => {
    const clock = new VirtualClock();
    const fault = new Fault({ ...FAULT_DEFAULTS, headers: {}, ...DELAY_100 }, { clock, random: () => 0, regex: () => () => true });
    // A layer of a user that waits, and that nobody can tell.
    const call = testCall();
    void faultLayer(fault, { clock })(() => new Promise<Reply>(() => {}))(call);
    await clock.run(100);
    call.cancel('enough');
    expect([call.canceled, call.outcome]).toEqual([true, null]);
  });

  it('does not begin when the caller has gone already', async () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    const gone = testCall();
    gone.cancel('gone');
    await expect(rig.send(gone).answer).rejects.toMatchObject({ code: 'canceled', cause: 'gone' });
    expect([rig.clock.armed, rig.fault.active]).toEqual([0, 0]);
  });

  it('holds the process', () => {
    const rig = new Rig({ position: 'call', ...DELAY_100 });
    const { call } = rig.call();
    expect(call.pending).toMatchObject({ holdsProcess: true });
  });
});

describe('faultLayer: delay of an attempt', () => {
  it('hands the endpoint an attempt that starts now, with the time that is left', async () => {
    const rig = new Rig(DELAY_100);
    const { call: attempt, answer, logical } = rig.attempt(300, { headers: ['a', 'b'], path: '/x' });
    logical.tried = [];
    await rig.clock.run(100);
    const { call: late } = await rig.server.next();
    expect(late).toMatchObject({
      attempt: 1,
      startedAtMs: 1_100,
      attemptDeadlineMs: 1_300,
      deadlineMs: 2_000,
      path: '/x',
      headers: ['a', 'b'],
    });
    expect([attempt.startedAtMs, late.parent?.tried]).toEqual([1_000, logical.tried]);
    rig.server.seen[0]?.reply(200).end();
    expect((await answer).status).toBe(200);
  });

  it('to all above it stays one attempt: its endpoint, its head, its end', async () => {
    const rig = new Rig(DELAY_100);
    const { call: attempt, answer, ends } = rig.attempt();
    await rig.clock.run(150);
    const seen = await rig.server.next();
    const endpoint = { address: 'a:1' } as NonNullable<Call['endpoint']>;
    seen.call.endpoint = endpoint;
    const reply = seen.reply(503);
    expect(await answer).toBe(reply);
    expect([attempt.endpoint, attempt.headAtMs, ends]).toEqual([endpoint, 1_150, []]);
    await rig.clock.run(10);
    seen.end();
    expect([ends, rig.fault.active]).toEqual([['failure 503 at 1160'], 0]);
  });

  it('a failure behind the delay is that of the attempt', async () => {
    const rig = new Rig(DELAY_100);
    const { call: attempt, answer, ends } = rig.attempt();
    await rig.clock.run(100);
    const seen = await rig.server.next();
    seen.call.endpoint = { address: 'a:1' } as NonNullable<Call['endpoint']>;
    seen.fail(testError('connect_failed', { retryable: true }));
    await expect(answer).rejects.toMatchObject({ code: 'connect_failed' });
    expect([attempt.endpoint?.address, ends]).toEqual(['a:1', ['failure connect_failed at 1100']]);
  });

  it.each([
    ['its own time', 100, 1_000, 'attempt_timeout', 'no response head within 100 ms', 1_100],
    ['less than the delay', 40, 1_000, 'attempt_timeout', 'no response head within 40 ms', 1_040],
    ['the deadline', Number.POSITIVE_INFINITY, 60, 'deadline_exceeded', 'no response head within 60 ms', 1_060],
    ['the deadline before its own time', 90, 60, 'deadline_exceeded', 'no response head within 60 ms', 1_060],
  ])('fails after %s as behind an endpoint that hangs', async (_name, perTryMs, timeoutMs, code, message, endedAtMs) => {
    const rig = new Rig({ ...DELAY_100, ...ABORT_503 });
    const { call: attempt, answer, ends } = rig.attempt(perTryMs, { deadlineMs: 1_000 + timeoutMs });
    await rig.clock.run(endedAtMs - 1_000 - 1);
    expect(ends).toEqual([]);
    await rig.clock.run(1);
    await expect(answer).rejects.toMatchObject({ code, sent: 'head', retryable: false, message: expect.stringContaining(message) });
    expect([ends, attempt.endpoint, rig.clock.armed, rig.fault.active]).toEqual([[`failure ${code} at ${endedAtMs}`], null, 0, 0]);
    await rig.clock.run(1_000);
    expect([rig.server.seen.length, rig.fault.aborts]).toEqual([0, 0]);
  });

  it('ends with the abort of the caller, in the delay and behind it', async () => {
    for (const afterMs of [30, 130]) {
      const rig = new Rig(DELAY_100);
      const { logical, answer, ends } = rig.attempt();
      await rig.clock.run(afterMs);
      logical.cancel('enough');
      await expect(answer).rejects.toMatchObject({ code: 'canceled', cause: 'enough' });
      expect([ends, rig.clock.armed, rig.fault.active]).toEqual([[`ignored canceled at ${1_000 + afterMs}`], 0, 0]);
    }
  });

  it('a layer below that throws rejects the attempt', async () => {
    const clock = new VirtualClock();
    const policy = { ...FAULT_DEFAULTS, headers: {}, ...DELAY_100 };
    const fault = new Fault(policy, { clock, random: () => 0, regex: () => () => true });
    const service = faultLayer(fault, { clock })(() => {
      throw new Error('broken');
    });
    const answer = service(testCall());
    answer.catch(() => {});
    await clock.run(100);
    await expect(answer).rejects.toThrow('broken');
  });
});
