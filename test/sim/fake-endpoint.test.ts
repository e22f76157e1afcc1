import { describe, expect, it } from 'vitest';
import { Call, type Reply } from '../../src/core/call.ts';
import { MeshError } from '../../src/core/errors.ts';
import type { Service } from '../../src/core/service.ts';
import { type EndpointModel, FakeEndpoint } from '../../src/sim/fake-endpoint.ts';
import { fakeLeaf } from '../../src/sim/fake-exchange.ts';
import { seededRandom } from '../../src/sim/seeded-random.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';

interface Rig {
  readonly clock: VirtualClock;
  readonly endpoint: FakeEndpoint;
  /** Sends an attempt; how it came back is noted in `log` as `name what@time`. */
  send(name: string, init?: { attemptMs?: number; deadlineMs?: number; criticality?: number; isRetry?: boolean }): Call;
  /** Sends an attempt; its reply. */
  ask(): Promise<Reply>;
  readonly log: string[];
}

/** Service time 20 ms, network 1 ms, everything exact. */
function rig(model: EndpointModel = {}): Rig {
  const clock = new VirtualClock(0);
  const endpoint = new FakeEndpoint('e1:80', { serviceMs: { kind: 'fixed', meanMs: 20 }, workers: 1, ...model }, clock, seededRandom(1));
  const leaf: Service = fakeLeaf({ clock, endpoint: () => endpoint, networkMs: () => 1, onAttempt() {}, isBlind: false });
  const log: string[] = [];
  const newCall = (): Call => {
    const call = new Call({ scheme: 'http', authority: 's', method: 'GET', path: '/', headers: [], body: null }, clock.now());
    call.endpoint = { address: 'e1:80', host: 'e1', port: 80, labels: {}, locality: '', service: leaf };
    return call;
  };
  const send: Rig['send'] = (name, { attemptMs, deadlineMs, criticality = -1, isRetry = false } = {}) => {
    const call = newCall();
    call.criticality = criticality;
    call.attempt = isRetry ? 2 : 1;
    if (attemptMs !== undefined) call.attemptDeadlineMs = clock.now() + attemptMs;
    if (deadlineMs !== undefined) call.deadlineMs = clock.now() + deadlineMs;
    let ends = 0;
    call.onEnd(() => ends++);
    leaf(call).then(
      (reply: Reply) => log.push(`${name} ${reply.status}@${clock.now()} ended ${ends} ${call.outcome?.kind}`),
      (error: unknown) =>
        log.push(
          `${name} ${MeshError[Symbol.hasInstance](error) ? (error as MeshError).code : String(error)}@${clock.now()} ended ${ends} ${call.outcome?.kind}`,
        ),
    );
    return call;
  };
  return { clock, endpoint, send, log, ask: () => leaf(newCall()) };
}

describe('a fake endpoint', () => {
  it('serves in turn, as many at once as it has workers', async () => {
    const { clock, send, log } = rig();
    send('a');
    send('b');
    await clock.advance(100);
    expect(log).toEqual(['a 200@21 ended 1 success', 'b 200@41 ended 1 success']);
  });

  it('answers 503 when the queue is full', async () => {
    const { clock, send, log, endpoint } = rig({ queueMax: 1 });
    for (const name of ['a', 'b', 'c']) send(name);
    await clock.advance(1);
    expect(endpoint.load).toBe(2);
    await clock.advance(100);
    expect(log).toEqual(['c 503@1.5 ended 1 failure', 'a 200@21 ended 1 success', 'b 200@41 ended 1 success']);
  });

  it.each([
    ['refuse', 'a connect_failed@0.2 ended 1 failure'],
    ['failFast', 'a 503@1 ended 1 failure'],
    ['blackHole', 'a attempt_timeout@300 ended 1 failure'],
    [{ errors: 1 }, 'a 503@21 ended 1 failure'],
    [{ errors: 1, status: 500 }, 'a 500@21 ended 1 failure'],
    [{ errors: 0 }, 'a 200@21 ended 1 success'],
    [{ slower: 3 }, 'a 200@61 ended 1 success'],
  ] as const)('%j', async (behavior, expected) => {
    const { clock, send, log, endpoint } = rig();
    endpoint.behave(behavior);
    send('a', { attemptMs: 300 });
    await clock.advance(1_000);
    expect(log).toEqual([expected]);
    expect(clock.armed).toBe(0);
  });

  it('that dies loses what it served, what waited, and what was under way', async () => {
    const { clock, send, log, endpoint } = rig();
    send('served');
    send('waiting');
    await clock.advance(5);
    send('under way');
    endpoint.behave('refuse');
    await clock.advance(10);
    endpoint.behave('up');
    send('later');
    await clock.advance(100);
    expect(log).toEqual([
      'served connection_lost@5 ended 1 failure',
      'waiting connection_lost@5 ended 1 failure',
      'under way connection_lost@6 ended 1 failure',
      'later 200@36 ended 1 success',
    ]);
  });

  it('is cold when it comes back, and warms up', async () => {
    const { clock, send, log, endpoint } = rig({ coldStart: { times: 4, forMs: 1_000 } });
    send('warm');
    await clock.advance(99);
    endpoint.behave('refuse');
    await clock.advance(1);
    endpoint.behave('up');
    await clock.advance(499);
    send('half');
    await clock.advance(1_000);
    send('warm again');
    await clock.advance(100);
    expect(log).toEqual(['warm 200@21 ended 1 success', 'half 200@650 ended 1 success', 'warm again 200@1620 ended 1 success']);
  });

  it('works on for who has gone, unless it looks', async () => {
    for (const [honorsCancel, expected] of [
      [false, 'b 200@41 ended 1 success'],
      [true, 'b 200@31 ended 1 success'],
    ] as const) {
      const { clock, send, log } = rig({ honorsCancel });
      const first = send('a');
      await clock.advance(10);
      send('b');
      const gone = send('c');
      await clock.advance(1);
      first.cancel('gone');
      gone.cancel('gone');
      await clock.advance(100);
      expect(log).toEqual(['a canceled@11 ended 1 ignored', 'c canceled@11 ended 1 ignored', expected]);
    }
  });

  it.each([
    [{ attemptMs: 10, deadlineMs: 15 }, 'attempt_timeout@10'],
    [{ attemptMs: 15, deadlineMs: 10 }, 'deadline_exceeded@10'],
    [{ deadlineMs: 10 }, 'deadline_exceeded@10'],
  ])('time runs out: %j', async (limits, expected) => {
    const { clock, send, log } = rig();
    send('a', limits);
    await clock.advance(100);
    expect(log).toEqual([`a ${expected} ended 1 failure`]);
  });

  it('asks further before it answers', async () => {
    const { clock, send, log } = rig({ handle: async (address) => ((await Promise.resolve(address === 'e1:80')) ? 204 : 500) });
    send('a');
    await clock.advance(100);
    expect(log).toEqual(['a 204@21 ended 1 success']);
  });
});

describe('a fake endpoint of a server of ours', () => {
  it('lets in as many as its limit says, and tells the others when to come back', async () => {
    const { clock, send, log, endpoint } = rig({ admission: { limitInitial: 5, retryAfterMs: 1_500 } });
    const replies: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const call = send(name);
      call.onEnd(({ outcome }) => replies.push(`${name} ${outcome?.status} ${outcome?.isShed === true ? 'shed' : 'served'}`));
    }
    await clock.advance(2);
    expect([endpoint.load, endpoint.limit, log]).toEqual([5, 5, ['f 503@1.5 ended 1 failure']]);
    await clock.advance(200);
    expect(replies).toEqual(['f 503 shed', 'a 200 served', 'b 200 served', 'c 200 served', 'd 200 served', 'e 200 served']);
  });

  it('writes its load and Retry-After', async () => {
    const { clock, ask } = rig({ admission: { limitInitial: 4, retryAfterMs: 1_500 }, headers: { etag: 'x' } });
    const replies = Promise.all([ask(), ask(), ask(), ask(), ask()]);
    await clock.advance(200);
    expect((await replies).map(({ status, headers }) => [status, headers])).toEqual([
      [200, { etag: 'x', 'x-inmesh-load': '1.00' }],
      [200, { etag: 'x', 'x-inmesh-load': '0.75' }],
      [200, { etag: 'x', 'x-inmesh-load': '0.50' }],
      [200, { etag: 'x', 'x-inmesh-load': '0.25' }],
      [503, { 'x-inmesh-load': '1.00', 'retry-after': '2', 'x-envoy-overloaded': 'true', 'x-inmesh-error': 'overloaded' }],
    ]);
  });

  it('gives a place back however a call ends, and only once', async () => {
    const { clock, send, endpoint } = rig({ admission: { limitInitial: 4 }, honorsCancel: true });
    const [served, waiting] = [send('a'), send('b')];
    send('c');
    await clock.advance(5);
    served?.cancel('gone');
    waiting?.cancel('gone');
    await clock.advance(5);
    endpoint.behave('refuse');
    endpoint.behave('up');
    for (const name of ['d', 'e', 'f', 'g']) send(name);
    await clock.advance(2);
    expect(endpoint.load).toBe(4);
  });

  it('refuses the sheddable and retries first', async () => {
    const { clock, send, log } = rig({ admission: { limitInitial: 5 } });
    for (const name of ['a', 'b', 'c', 'd']) send(name);
    send('sheddable', { criticality: 0 });
    send('retry', { isRetry: true });
    send('critical', { criticality: 2 });
    await clock.advance(500);
    expect(log.filter((line) => line.includes('503'))).toEqual(['sheddable 503@1.5 ended 1 failure', 'retry 503@1.5 ended 1 failure']);
    expect(log.at(-1)).toBe('critical 200@101 ended 1 success');
  });

  it('drops what is expired when a worker would take it', async () => {
    for (const [dropsExpired, received] of [
      [false, 'd 200@81'],
      [true, 'd 200@61'],
    ] as const) {
      const { clock, send, log } = rig({ dropsExpired });
      send('a');
      send('b');
      send('c', { deadlineMs: 30 });
      send('d');
      await clock.advance(200);
      expect(log.at(-1)).toMatch(received);
    }
  });

  it('is late by the work that refusals cost', async () => {
    const { clock, send, log } = rig({ admission: { limitMin: 1, limitInitial: 1 }, refusalMs: 5 });
    send('a');
    send('b');
    send('c');
    await clock.advance(30);
    send('d');
    await clock.advance(100);
    expect(log.at(-1)).toBe('d 200@61 ended 1 success');
  });
});
