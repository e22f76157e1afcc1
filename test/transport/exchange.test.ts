import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { FakeWire, type Play, play, Recorder } from './fake-wire.ts';

const KB = 'x'.repeat(1_024);

describe('an exchange', () => {
  it('gives the head, then the body, then the end', async () => {
    const { wire, reply, outcomes, clock, host, call } = play({ deadlineMs: 500 });
    wire.start().head(200, { a: '1' });
    const { status, statusText, headers } = await reply;
    expect([status, statusText, headers, call.headAtMs]).toEqual([200, 'text 200', { a: '1' }, 1_000]);
    expect(outcomes).toEqual([]);
    const sink = new Recorder();
    (await reply).attach(sink);
    wire.data('one ').data('two').end();
    expect([sink.text, sink.log.at(-1), outcomes, clock.armed, host.started]).toEqual(['one two', 'end', ['success 200'], 0, 1]);
  });

  it('keeps what comes before the consumer, up to 64 KiB, then pauses', async () => {
    const { wire, reply } = play();
    wire.start().head(200);
    for (let i = 0; i < 64; i++) wire.data(KB);
    expect(wire.controller.paused).toBe(false);
    wire.data(KB);
    expect(wire.controller.paused).toBe(true);
    const sink = new Recorder();
    (await reply).attach(sink);
    expect([sink.bytes, wire.controller.paused]).toEqual([65 * 1_024, false]);
  });

  it('delivers to a consumer that comes after the end', async () => {
    const { wire, reply, outcomes } = play();
    wire.start().head(503).data('no').end();
    const sink = new Recorder();
    (await reply).attach(sink);
    expect([sink.text, sink.log, outcomes]).toEqual(['no', ['data', 'end'], ['failure 503']]);
  });

  it('delivers what came before a break to a consumer that comes after it', async () => {
    const { wire, reply, outcomes } = play();
    wire.start().head(200).data('half').error(new Error('broke'));
    const sink = new Recorder();
    (await reply).attach(sink);
    expect([sink.text, sink.log, outcomes]).toEqual(['half', ['data', 'error'], ['failure 200 connection_lost']]);
  });

  it('stops when the consumer asks, and goes on when it resumes', async () => {
    const { wire, reply } = play();
    wire.start().head(200).data('a').data('b');
    const answer = await reply;
    const sink = new Recorder();
    sink.wants = false;
    answer.attach(sink);
    expect([sink.text, wire.controller.paused]).toEqual(['a', true]);
    wire.data('c');
    answer.resume();
    expect([sink.text, wire.controller.paused]).toEqual(['ab', true]);
    sink.wants = true;
    answer.resume();
    expect([sink.text, wire.controller.paused]).toEqual(['abc', false]);
    wire.data('d').end();
    expect([sink.text, sink.log.at(-1)]).toEqual(['abcd', 'end']);
  });

  it('delivers nothing to a consumer that paused before it came', async () => {
    const { wire, reply } = play();
    wire.start().head(200).data('a').end();
    const answer = await reply;
    const sink = new Recorder();
    answer.pause();
    answer.attach(sink);
    expect(sink.log).toEqual([]);
    answer.resume();
    expect(sink.log).toEqual(['data', 'end']);
  });

  it('keeps what comes while a consumer that paused before it came is still paused', async () => {
    const { wire, reply } = play();
    wire.start().head(200);
    const answer = await reply;
    const sink = new Recorder();
    answer.pause();
    answer.attach(sink);
    wire.data('a');
    expect(sink.log).toEqual([]);
    answer.resume();
    expect([sink.text, wire.controller.paused]).toEqual(['a', false]);
  });

  it('does not deliver to a consumer that has cancelled while it was given what had waited', async () => {
    const { wire, reply, call } = play();
    wire.start().head(200).data('a').data('b');
    const sink = new Recorder();
    sink.onChunk = () => call.cancel('enough');
    (await reply).attach(sink);
    expect([sink.log, sink.error]).toEqual([['data', 'error'], 'enough']);
    expect(wire.controller.log).toContain('abort');
  });

  it('hands on heads of status 1xx from the logical call', async () => {
    const seen: unknown[] = [];
    const prepare = (call: Call): void => {
      (call.parent as Call).informational = { onInformational: (status) => seen.push(status) };
    };
    const { wire, reply } = play({ prepare });
    wire.start().head(103).head(200);
    expect([(await reply).status, seen]).toEqual([200, [103]]);
  });

  it('keeps the raw headers of HTTP/1.1, and none of HTTP/2', async () => {
    const raw = [Buffer.from('a'), Buffer.from('1')];
    const [one, two] = [play(), play()];
    one.wire.controller.rawHeaders = raw;
    two.wire.controller.rawHeaders = { a: '1' } as never;
    for (const { wire } of [one, two]) wire.start().head(200);
    expect([(await one.reply).rawHeaders, (await two.reply).rawHeaders]).toEqual([raw, null]);
  });

  it('hands on the socket of an upgrade', async () => {
    const { wire, reply, outcomes } = play();
    const socket = { destroy: () => {} };
    wire.start().upgrade(101, socket);
    expect([(await reply).status, (await reply).value, outcomes]).toEqual([101, socket, ['success 101']]);
  });

  it('destroys the socket of an upgrade that comes too late', async () => {
    const { wire, failure, clock } = play({ attemptMs: 100 });
    let destroyed = 0;
    wire.start();
    clock.advance(100);
    await failure;
    wire.upgrade(101, { destroy: () => destroyed++ });
    expect(destroyed).toBe(1);
  });

  it('takes a body that ends with a broken socket for what it is', async () => {
    const { wire, reply, host, outcomes } = play();
    wire.start().head(200).data('half');
    const sink = new Recorder();
    (await reply).attach(sink);
    host.socketError = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    wire.end();
    expect([sink.log, outcomes]).toEqual([['data', 'error'], ['failure 200 connection_lost']]);
  });
});

describe('the time of an attempt', () => {
  it.each([
    ['attempt_timeout', { attemptMs: 100, deadlineMs: 500 }, 100],
    ['deadline_exceeded', { attemptMs: 500, deadlineMs: 100 }, 100],
    ['deadline_exceeded', { attemptMs: 100, deadlineMs: 100 }, 100],
    ['deadline_exceeded', { deadlineMs: 100 }, 100],
  ] as const)('%s, %j', async (code, init, ms) => {
    const { wire, failure, clock, outcomes } = play(init);
    wire.start();
    clock.advance(ms - 1);
    expect(outcomes).toEqual([]);
    clock.advance(1);
    const error = await failure;
    expect([error.code, error.sent, outcomes, clock.armed]).toEqual([code, 'head', [`failure 0 ${code}`], 0]);
    expect(error.message).toContain('within 100 ms');
    expect(wire.controller.log).toEqual(['abort']);
  });

  it('says that nothing was sent when no socket came', async () => {
    const { wire, failure, clock, host } = play({ attemptMs: 100 });
    clock.advance(100);
    expect([(await failure).sent, host.started]).toEqual(['none', 1]);
    wire.start();
    // Refused, not aborted: the socket is as good as before.
    expect([wire.isRefused, wire.controller.log, host.started]).toEqual([true, [], 1]);
  });

  it('ends for the attempt with the head', async () => {
    const { wire, reply, clock, outcomes } = play({ attemptMs: 100, deadlineMs: 500 });
    wire.start().head(200);
    const sink = new Recorder();
    (await reply).attach(sink);
    clock.advance(400);
    expect(outcomes).toEqual([]);
    clock.advance(100);
    expect([outcomes, sink.log, (sink.error as Error).message]).toEqual([
      ['failure 200 deadline_exceeded'],
      ['error'],
      expect.stringContaining('the body was not complete within 500 ms'),
    ]);
  });

  it('without a deadline there is none for the body either', async () => {
    const { wire, reply, clock, outcomes } = play({ attemptMs: 100 });
    wire.start().head(200);
    await reply;
    clock.advance(100);
    expect([clock.armed, outcomes]).toEqual([0, []]);
  });

  it('bounds a body that nobody reads', async () => {
    const { wire, reply, clock, outcomes } = play({ deadlineMs: 500 });
    wire.start().head(200);
    await reply;
    for (let i = 0; i < 100; i++) wire.data(KB);
    clock.advance(500);
    expect([outcomes, wire.controller.aborted]).toEqual([['failure 200 deadline_exceeded'], true]);
  });
});

describe('cancel', () => {
  const phases: readonly (readonly [string, (wire: FakeWire) => void, boolean])[] = [
    ['before a socket', () => {}, false],
    ['before the head', (wire) => wire.start(), true],
  ];
  it.each(phases)('%s rejects with the reason as cause', async (_, act, isAborted) => {
    const { wire, failure, call, outcomes, clock } = play({ deadlineMs: 500 });
    act(wire);
    call.cancel('gone');
    const error = await failure;
    expect([error.code, error.cause, outcomes, clock.armed, wire.controller.aborted]).toEqual([
      'canceled',
      'gone',
      ['ignored 0 canceled'],
      0,
      isAborted,
    ]);
  });

  it('after the head and before the consumer: the consumer is told', async () => {
    const { wire, reply, call, outcomes } = play();
    wire.start().head(200).data('a');
    call.cancel('gone');
    const sink = new Recorder();
    (await reply).attach(sink);
    expect([sink.log, sink.error, outcomes]).toEqual([['error'], 'gone', ['ignored 200 canceled']]);
  });

  it('while the body flows: the consumer is told at once, even when it paused', async () => {
    const { wire, reply, call } = play();
    wire.start().head(200);
    const sink = new Recorder();
    (await reply).attach(sink);
    (await reply).pause();
    call.cancel('gone');
    expect([sink.log, wire.controller.aborted]).toEqual([['error'], true]);
  });

  it.each([
    ['the attempt', { prepare: (call: Call) => call.cancel('gone') }],
    ['the call, before there was an attempt', { beforeFork: (call: Call) => call.cancel('gone') }],
  ])('before it is sent, while a layer above was busy: %s', async (_, init) => {
    const { failure, wire, host } = play(init);
    const error = await failure;
    expect([error.code, error.cause, wire.handler, host.started]).toEqual(['canceled', 'gone', null, 1]);
  });

  it('after the end does nothing', async () => {
    const { wire, reply, call, outcomes } = play();
    wire.start().head(200).end();
    await reply;
    call.cancel('gone');
    expect([outcomes, wire.controller.log]).toEqual([['success 200'], []]);
  });
});

describe('a reply that nobody wants', () => {
  async function answered(headers: Record<string, string> = {}, deadlineMs = 10_000): Promise<Play> {
    const played = play({ deadlineMs });
    played.wire.start().head(503, headers);
    await played.reply;
    return played;
  }

  it.each(['discard', 'hold'] as const)('%s drains a small body and keeps the socket', async (way) => {
    const { wire, exchange, outcomes, clock } = await answered();
    wire.data('small');
    exchange[way]();
    wire.data(' body').end();
    expect([wire.controller.log, outcomes, clock.armed]).toEqual([[], ['failure 503'], 0]);
  });

  it.each(['discard', 'hold'] as const)('%s resumes a paused one', async (way) => {
    const { wire, exchange } = await answered();
    exchange.pause();
    exchange[way]();
    expect(wire.controller.log).toEqual(['pause', 'resume']);
  });

  it.each(['discard', 'hold'] as const)('%s aborts a long one at once when its length is known', async (way) => {
    const { wire, exchange, outcomes } = await answered({ 'content-length': '65537' });
    exchange[way]();
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it.each(['discard', 'hold'] as const)('%s aborts after 64 KiB', async (way) => {
    const { wire, exchange, outcomes } = await answered();
    exchange[way]();
    for (let i = 0; i < 64; i++) wire.data(KB);
    expect(wire.controller.aborted).toBe(false);
    wire.data('x');
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it.each(['discard', 'hold'] as const)('%s aborts after a second', async (way) => {
    const { wire, exchange, outcomes, clock } = await answered();
    exchange[way]();
    clock.advance(999);
    expect(wire.controller.aborted).toBe(false);
    clock.advance(1);
    expect([wire.controller.log, outcomes, exchange.intact]).toEqual([['abort'], ['failure 503'], false]);
  });

  it('no longer than the deadline', async () => {
    const { wire, exchange, clock } = await answered({}, 300);
    exchange.discard();
    clock.advance(300);
    expect(wire.controller.aborted).toBe(true);
  });

  it('held and attached later: all of it', async () => {
    const { wire, exchange, outcomes, clock } = await answered();
    wire.data('a');
    exchange.hold();
    wire.data('b');
    const sink = new Recorder();
    exchange.attach(sink);
    wire.data('c');
    clock.advance(5_000);
    wire.end();
    expect([sink.text, sink.log.at(-1), outcomes, clock.armed]).toEqual(['abc', 'end', ['failure 503'], 0]);
  });

  it('held, ended, and attached later: all of it', async () => {
    const { wire, exchange } = await answered();
    exchange.hold();
    wire.data('all').end();
    const sink = new Recorder();
    exchange.attach(sink);
    expect([exchange.intact, sink.text, sink.log.at(-1)]).toEqual([true, 'all', 'end']);
  });

  it('held and then discarded', async () => {
    const { wire, exchange, outcomes } = await answered();
    exchange.hold();
    exchange.discard();
    wire.data('x').end();
    expect([outcomes, exchange.intact]).toEqual([['failure 503'], true]);
  });
});

describe('who is to blame', () => {
  it('nobody, when the request body breaks', async () => {
    const body = { length: -1, replayable: true, failure: new RangeError('source'), open: () => null, release: () => {} };
    const { wire, failure, outcomes } = play({ prepare: (call) => Object.assign(call, { body }) });
    wire.start().error(new Error('aborted'));
    const error = await failure;
    expect([error.code, error.cause, outcomes]).toEqual(['canceled', body.failure, ['ignored 0 canceled']]);
  });

  it.each([
    [true, 'head', false],
    [false, 'head', true],
  ])('a socket that breaks before the head, fresh: %s', async (isFresh, sent, retryable) => {
    const { wire, failure } = play({ isFresh });
    wire.start().error(new Error('other side closed'));
    const error = await failure;
    expect([error.code, error.sent, error.retryable]).toEqual(['connection_lost', sent, retryable]);
  });

  it('the first start decides: the second is undici trying again by itself', async () => {
    const { wire, failure, host } = play({ isFresh: false });
    wire.start();
    host.isFresh = true;
    wire.start().error(new Error('other side closed'));
    expect([(await failure).retryable, host.started]).toEqual([true, 1]);
  });
});

/** One random play: what the wire, time and the consumer do, in any order, until everything is over. */
function randomPlay(seed: number): void {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const played = play({
    ...(random() < 0.5 ? { deadlineMs: 1 + below(3_000) } : {}),
    ...(random() < 0.5 ? { attemptMs: 1 + below(500) } : {}),
  });
  const { wire, exchange, call, clock, outcomes } = played;
  played.reply.catch(() => {});
  const sink = new Recorder();
  const state = { started: false, headed: false, attached: false, given: false, sent: '', ended: false };
  sink.onChunk = () => {
    sink.wants = random() < 0.7;
    if (random() < 0.02) call.cancel('in the middle');
  };
  const acts: (() => void)[] = [
    () => {
      if (!state.started) wire.start();
      state.started = true;
    },
    () => {
      if (state.started && !state.headed && !wire.isOver)
        wire.head(random() < 0.5 ? 200 : 503, random() < 0.2 ? { 'content-length': '70000' } : {});
      state.headed ||= state.started;
    },
    () => {
      if (!state.headed || wire.isOver) return;
      const chunk = String(below(10)).repeat(1 + below(random() < 0.1 ? 40_000 : 50));
      state.sent += chunk;
      wire.data(chunk);
    },
    () => {
      if (state.headed && !wire.isOver && random() < 0.3) {
        state.ended = true;
        wire.end();
      }
    },
    () => void (random() < 0.1 && state.started && wire.error(new Error('broke'))),
    () => clock.advance(below(400)),
    () => void (random() < 0.1 && call.cancel('gone')),
    () => {
      if (exchange.status === 0 || state.attached) return;
      if (!state.given && random() < 0.4) {
        state.given = true;
        exchange.hold();
      } else if (!state.given || exchange.intact) {
        state.attached = true;
        exchange.attach(sink);
      }
    },
    () => void (state.attached && random() < 0.3 && exchange.pause()),
    () => void (state.attached && exchange.resume()),
  ];
  for (let step = 0; step < 60; step++) acts[below(acts.length)]?.();
  // Everything comes to an end: the consumer reads on, the wire ends, and time passes.
  sink.onChunk = () => {
    sink.wants = true;
  };
  if (state.attached) exchange.resume();
  if (state.headed && !wire.isOver) {
    state.ended = true;
    wire.end();
  } else if (!state.headed) call.cancel('at last');
  if (state.attached) exchange.resume();

  expect(outcomes, `seed ${seed}`).toHaveLength(1);
  expect(clock.armed, `seed ${seed}`).toBe(0);
  expect(played.host.started, `seed ${seed}`).toBe(1);
  if (!state.attached) return;
  expect(sink.endings, `seed ${seed}`).toBe(1);
  expect(state.sent.startsWith(sink.text), `seed ${seed}`).toBe(true);
  if (sink.log.at(-1) === 'end') expect([sink.text.length, state.ended], `seed ${seed}`).toEqual([state.sent.length, true]);
}

describe('whatever happens in whatever order', () => {
  it('the attempt ends once, the consumer is told once, no timer is left', () => {
    for (let seed = 1; seed <= 3_000; seed++) randomPlay(seed);
  });
});
