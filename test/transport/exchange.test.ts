import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { type FakeWire, play, Recorder } from './fake-wire.ts';

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

  it.each([
    ['a server of ours that sheds load', 503, { 'x-inmesh-error': 'overloaded' }, true],
    ['another refusal of ours', 503, { 'x-inmesh-error': 'no_endpoint' }, undefined],
    ['anybody else', 503, { 'x-envoy-overloaded': 'true' }, undefined],
    ['an answer', 200, { 'x-inmesh-error': 'overloaded' }, undefined],
  ] as const)('tells shedding apart: %s', async (_, status, headers, expected) => {
    const { wire, reply, call } = play();
    wire.start().head(status, headers).end();
    await reply;
    expect(call.outcome?.isShed).toBe(expected);
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
    (await reply).attach(new Recorder());
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
