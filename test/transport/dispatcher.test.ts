import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { meshError } from '../../src/core/errors.ts';
import { fakeReply } from '../support/fake-service.ts';
import { bench, body200, bytes, dispatch, FULL, GET, Handler, type Hook, legacyHandler } from './dispatch-bench.ts';

describe('a handler of undici 7 and 8', () => {
  it('is told everything, in order, the start at once', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler();
    expect(dispatch(dispatcher, GET, handler)).toBe(true);
    expect(handler.log).toEqual(['start']);
    await answer(body200());
    expect(handler.log).toEqual(FULL);
  });

  it('finds the headers at the controller, raw where there are such', async () => {
    for (const rawHeaders of [null, [Buffer.from('x-a'), Buffer.from('1')]]) {
      const { dispatcher, answer } = bench();
      const handler = new Handler();
      dispatch(dispatcher, GET, handler);
      const reply = Object.assign(fakeReply(200, { 'x-a': '1' }), { rawHeaders });
      await answer(reply);
      expect(handler.controller?.rawHeaders).toBe(rawHeaders ?? reply.headers);
    }
  });

  it('is told the error of the mesh as it is', async () => {
    const { dispatcher, fail } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    const error = meshError({ code: 'circuit_open', message: 'x' });
    await fail(error);
    expect([handler.log.length, handler.error]).toEqual([2, error]);
  });

  it('is told the error of a layer that throws instead of rejecting', () => {
    const origin = {
      scheme: 'http',
      authority: 'reviews',
      bodyBytesMax: 0,
      service: () => {
        throw new Error('layer');
      },
    };
    const { dispatcher } = bench({ origin: () => origin });
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    expect(handler.log).toEqual(['start', 'error layer']);
  });

  it('that paused while it waited gets a paused answer', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    handler.controller?.pause();
    const reply = fakeReply(200);
    await answer(reply);
    expect([handler.log, reply.log]).toEqual([
      ['start', 'started', '200'],
      ['pause', 'attach'],
    ]);
  });

  it('pauses and resumes', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler({ onResponseStart: (controller) => controller.pause() });
    dispatch(dispatcher, GET, handler);
    const reply = fakeReply(200);
    await answer(reply);
    expect(reply.log).toEqual(['pause', 'attach']);
    expect(reply.sink?.onData(bytes('a'))).toBe(false);
    handler.controller?.resume();
    expect([reply.log.at(-1), reply.sink?.onData(bytes('b'))]).toEqual(['resume', true]);
  });
});

describe('an abort', () => {
  const reason = new Error('mine');
  const abort = (controller: Dispatcher.DispatchController): void => controller.abort(reason);

  it('in onRequestStart: the call is never made', () => {
    const { dispatcher, calls } = bench();
    const handler = new Handler({ onRequestStart: abort });
    dispatch(dispatcher, GET, handler);
    expect([handler.log, calls]).toEqual([['start', 'error mine'], []]);
  });

  it('while the call waits: told at once, the call is canceled, a late answer is dropped', async () => {
    const { dispatcher, calls, answer } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    handler.controller?.abort(reason);
    expect([handler.log, calls[0]?.canceled, calls[0]?.cancelReason]).toEqual([['start', 'error mine'], true, reason]);
    const reply = body200();
    await answer(reply);
    expect([handler.log.length, reply.log]).toEqual([2, ['discard']]);
  });

  it('while the call waits: its own error is not told a second time', async () => {
    const { dispatcher, fail } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    handler.controller?.abort(reason);
    await fail(meshError({ code: 'canceled', message: 'x', cause: reason }));
    expect(handler.log).toEqual(['start', 'error mine']);
  });

  it.each<[Hook, string[]]>([
    ['onResponseStart', ['start', 'started', '200', 'error mine']],
    ['onResponseData', ['start', 'started', '200', 'body', 'error mine']],
  ])('in %s: nothing more is told', async (hook, log) => {
    const { dispatcher, answer } = bench();
    const handler = new Handler({ [hook]: abort });
    dispatch(dispatcher, GET, handler);
    await answer(body200());
    expect(handler.log).toEqual(log);
  });

  it('while paused with all bytes at hand', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler({ onResponseStart: (controller) => controller.pause() });
    dispatch(dispatcher, GET, handler);
    const reply = fakeReply(200);
    await answer(reply);
    handler.controller?.abort(reason);
    expect(handler.log).toEqual(['start', 'started', '200', 'error mine']);
  });

  it('after the end does nothing', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    await answer(body200());
    handler.controller?.abort(reason);
    expect([handler.log, handler.controller?.aborted]).toEqual([FULL, false]);
  });

  it('without a reason has one', () => {
    const { dispatcher } = bench();
    const handler = new Handler();
    dispatch(dispatcher, GET, handler);
    handler.controller?.abort(undefined as unknown as Error);
    expect((handler.error as Error).name).toBe('AbortError');
  });
});

describe('a handler that throws', () => {
  it.each<[Hook, string[]]>([
    ['onRequestStart', ['start', 'error thrown']],
    ['onResponseStarted', ['start', 'started', 'error thrown']],
    ['onResponseStart', ['start', 'started', '200', 'error thrown']],
    ['onResponseData', ['start', 'started', '200', 'body', 'error thrown']],
    ['onResponseEnd', [...FULL, 'error thrown']],
  ])('in %s is told its own error, once', async (hook, log) => {
    const { dispatcher, answer, calls } = bench();
    const handler = new Handler({
      [hook]: () => {
        throw new Error('thrown');
      },
    });
    dispatch(dispatcher, GET, handler);
    await answer(body200());
    expect([handler.log, calls.length]).toEqual([log, hook === 'onRequestStart' ? 0 : 1]);
  });

  it('in onRequestUpgrade: the socket is destroyed', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler({
      onRequestUpgrade: () => {
        throw new Error('thrown');
      },
    });
    dispatch(dispatcher, { ...GET, upgrade: 'websocket' }, handler);
    let destroyed = 0;
    await answer(Object.assign(fakeReply(101), { value: { destroy: () => destroyed++ } }));
    expect([handler.log, destroyed]).toEqual([['start', 'upgrade', 'error thrown'], 1]);
  });
});

describe('a handler of undici 6', () => {
  it('is told everything in its own words', async () => {
    const { dispatcher, answer } = bench();
    const legacy = legacyHandler();
    dispatch(dispatcher, GET, legacy.handler);
    expect(legacy.log).toEqual(['connect']);
    const reply = fakeReply(200, { 'x-a': '1' });
    reply.send(bytes('body'));
    reply.end();
    await answer(reply);
    expect(legacy.log).toEqual(['connect', '200 x-a:1', 'body', 'complete']);
  });

  it('pauses with its answer to onData, and resumes', async () => {
    const { dispatcher, answer } = bench();
    const legacy = legacyHandler({ data: false });
    dispatch(dispatcher, GET, legacy.handler);
    const reply = fakeReply(200);
    await answer(reply);
    expect(reply.sink?.onData(bytes('a'))).toBe(false);
    legacy.resume();
    expect(reply.log.at(-1)).toBe('resume');
  });

  it('aborts', () => {
    const { dispatcher, calls } = bench();
    const legacy = legacyHandler();
    dispatch(dispatcher, GET, legacy.handler);
    legacy.abort(new Error('mine'));
    expect([legacy.log, calls[0]?.canceled]).toEqual([['connect', 'error mine'], true]);
  });
});
