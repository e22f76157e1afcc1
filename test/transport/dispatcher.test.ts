import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import { meshError } from '../../src/core/errors.ts';
import type { Service } from '../../src/core/service.ts';
import { parseDuration } from '../../src/model/duration.ts';
import { MeshDispatcher } from '../../src/transport/dispatcher.ts';
import type { Outbound } from '../../src/transport/outbound.ts';
import { fakeReply, type FakeReply } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

type Options = Omit<Dispatcher.DispatchOptions, 'body'> & { body?: unknown } & Record<string, unknown>;

function dispatch(dispatcher: Dispatcher, options: Options, handler: Dispatcher.DispatchHandler): boolean {
  return dispatcher.dispatch(options as Dispatcher.DispatchOptions, handler);
}

interface Bench {
  readonly dispatcher: MeshDispatcher;
  /** Calls that reached the service. */
  readonly calls: Call[];
  answer(reply: Reply): Promise<void>;
  fail(error: unknown): Promise<void>;
  closed: number;
}

function bench(outbound: Partial<Outbound> = {}): Bench {
  const calls: Call[] = [];
  const pending: { resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = [];
  const service: Service = (call) => {
    calls.push(call);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    pending.push({ resolve, reject });
    return promise;
  };
  const reviews = { scheme: 'http', authority: 'reviews', service, bodyBytesMax: 65_536 };
  const known: Outbound = {
    clock: new VirtualClock(),
    origin: (origin) => (origin === 'http://reviews' ? reviews : null),
    refusesUnknown: false,
    isClosed: false,
  };
  const made: Bench = {
    calls,
    closed: 0,
    dispatcher: new MeshDispatcher(
      { ...known, ...outbound },
      {
        parseDuration: (text) => parseDuration(text) ?? 0,
        onClose: () => {
          made.closed++;
          return Promise.resolve();
        },
      },
    ),
    answer(reply) {
      pending.shift()?.resolve(reply);
      return settle();
    },
    fail(error) {
      pending.shift()?.reject(error);
      return settle();
    },
  };
  return made;
}

type Hook =
  | 'onRequestStart'
  | 'onResponseStarted'
  | 'onResponseStart'
  | 'onResponseData'
  | 'onResponseEnd'
  | 'onResponseError'
  | 'onRequestUpgrade';

/** Notes what it is told; does something of its own in a hook when asked. */
class Handler implements Dispatcher.DispatchHandler {
  readonly log: string[] = [];
  controller: Dispatcher.DispatchController | null = null;
  error: unknown = undefined;
  readonly #act: Partial<Record<Hook, (controller: Dispatcher.DispatchController) => void>>;

  constructor(act: Partial<Record<Hook, (controller: Dispatcher.DispatchController) => void>> = {}) {
    this.#act = act;
  }

  #note(hook: Hook, text: string, controller: Dispatcher.DispatchController | null): void {
    this.log.push(text);
    if (controller !== null) this.controller = controller;
    this.#act[hook]?.(controller as Dispatcher.DispatchController);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#note('onRequestStart', 'start', controller);
  }

  onResponseStarted(): void {
    this.#note('onResponseStarted', 'started', null);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#note('onResponseStart', String(status), controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#note('onResponseData', chunk.toString(), controller);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#note('onResponseEnd', 'end', controller);
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    this.error = error;
    this.#note('onResponseError', `error ${error.message}`, controller);
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController): void {
    this.#note('onRequestUpgrade', 'upgrade', controller);
  }
}

const GET: Options = { origin: 'http://reviews', path: '/', method: 'GET' };
const bytes = (text: string): Buffer => Buffer.from(text);
const FULL = ['start', 'started', '200', 'body', 'end'];

function body200(): FakeReply {
  const reply = fakeReply(200);
  reply.send(bytes('body'));
  reply.end();
  return reply;
}

describe('a handler of undici 7 and 8', () => {
  it('is told everything, in order, the start at once', async () => {
    const { dispatcher, answer } = bench();
    const handler = new Handler();
    expect(dispatch(dispatcher, GET, handler)).toBe(true);
    expect(handler.log).toEqual(['start']);
    await answer(body200());
    expect(handler.log).toEqual(FULL);
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

/** As undici 6, and built-in fetch of Node 22 and 24, write it. */
function legacyHandler(answers: { data?: boolean } = {}): {
  log: string[];
  abort: (reason?: Error) => void;
  resume: () => void;
  handler: Dispatcher.DispatchHandler;
} {
  const seen = { log: [] as string[], abort: (_reason?: Error): void => {}, resume: (): void => {} };
  const handler = {
    onConnect: (abort: (reason?: Error) => void) => {
      seen.log.push('connect');
      seen.abort = abort;
    },
    onHeaders: (status: number, rawHeaders: Buffer[], resume: () => void, text: string) => {
      seen.log.push(`${status} ${rawHeaders.map(String).join(':')} ${text}`.trim());
      seen.resume = resume;
      return true;
    },
    onData: (chunk: Buffer) => {
      seen.log.push(chunk.toString());
      return answers.data ?? true;
    },
    onComplete: () => void seen.log.push('complete'),
    onError: (error: Error) => void seen.log.push(`error ${error.message}`),
  };
  return Object.assign(seen, { handler: handler as unknown as Dispatcher.DispatchHandler });
}

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

describe('what the call is made of', () => {
  function callOf(options: Partial<Options>): Call {
    const { dispatcher, calls } = bench();
    const handler = new Handler();
    dispatch(dispatcher, { ...GET, ...options }, handler);
    if (calls[0] === undefined) throw handler.error;
    return calls[0];
  }

  it('method, path, query, headers', () => {
    const call = callOf({ method: 'PUT', path: '/a', query: { b: 1, c: ['d', 'e'] }, headers: { 'X-A': '1' } });
    expect([call.scheme, call.authority, call.method, call.path, call.headers]).toEqual([
      'http',
      'reviews',
      'PUT',
      '/a?b=1&c=d&c=e',
      ['X-A', '1'],
    ]);
  });

  it('an origin may be a URL', () => {
    expect(callOf({ origin: new URL('http://reviews/') }).authority).toBe('reviews');
  });

  it('a query beside one in the path is refused, as undici does', () => {
    expect(() => callOf({ path: '/a?b', query: { c: 1 } })).toThrow('query cannot be given');
  });

  const hello = bytes('hello');
  const flow = (): AsyncGenerator<Buffer> =>
    (async function* () {
      yield hello;
    })();
  it.each<[string, unknown, Record<string, string>, string[]]>([
    ['bytes are counted by undici', hello, { 'content-length': '5' }, []],
    ['whatever the caller says', 'hello', { 'Content-Length': '7' }, []],
    ['a stream keeps its length', flow(), { 'content-length': '5' }, ['content-length', '5']],
    ['once', flow(), { 'content-length': '5, 5' }, ['content-length', '5']],
    ['a length that is none is left to undici', flow(), { 'content-length': '5, 6' }, ['content-length', '5, 6']],
    ['long bytes have one', Buffer.alloc(70_000), {}, ['content-length', '70000']],
    ['no body, no change', null, { 'content-length': '0' }, ['content-length', '0']],
  ])('content-length: %s', (_, body, headers, result) => {
    expect(callOf({ method: 'POST', body, headers }).headers).toEqual(result);
  });

  it('options for the mesh, for undici, and idempotent', () => {
    const call = callOf({
      mesh: { timeout: '2s' },
      idempotent: true,
      headersTimeout: 5,
      bodyTimeout: 0,
      reset: true,
      upgrade: 'websocket',
    });
    expect([call.timeoutMs, call.idempotent, call.upgrade, call.transportOptions]).toEqual([
      2_000,
      true,
      'websocket',
      { headersTimeout: 5, bodyTimeout: 0, reset: true },
    ]);
    expect(callOf({}).transportOptions).toBeNull();
    expect(callOf({ mesh: { timeout: 300, idempotent: true } })).toMatchObject({ timeoutMs: 300, idempotent: true });
  });

  it('options for all calls of a dispatcher', async () => {
    const { dispatcher, calls } = bench();
    const hasty = dispatcher.withOptions({ timeout: 7 });
    dispatch(hasty, GET, new Handler());
    dispatch(dispatcher, GET, new Handler());
    expect(calls.map(({ timeoutMs }) => timeoutMs)).toEqual([7, 0]);
  });

  it('what cannot be a call is an error of the handler', () => {
    const { dispatcher, calls } = bench();
    const handler = new Handler();
    expect(dispatch(dispatcher, { ...GET, method: 'POST', body: 5 }, handler)).toBe(true);
    expect([handler.log, calls]).toEqual([['error body must be a string, bytes, FormData, Blob, or (async) iterable'], []]);
  });

  it.each([
    ['end', (one: Bench) => one.answer(body200())],
    ['error', (one: Bench) => one.fail(new Error('x'))],
  ])('the body is let go at the %s', async (_, finish) => {
    const one = bench();
    let closed = 0;
    const source = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => closed++ }) };
    dispatch(one.dispatcher, { ...GET, method: 'POST', body: source }, new Handler());
    await finish(one);
    expect(closed).toBe(1);
  });
});

describe('hosts that no service names', () => {
  const other: Options = { ...GET, origin: 'http://elsewhere' };

  it('are refused when the mesh says so', () => {
    const { dispatcher } = bench({ refusesUnknown: true });
    const handler = new Handler();
    dispatch(dispatcher, other, handler);
    expect(handler.error).toMatchObject({ code: 'unknown_host' });
  });

  it('go to the dispatcher before, untouched, by the generation of the handler', () => {
    const { dispatcher } = bench();
    const passed: [string, unknown, unknown][] = [];
    const before = (name: string): unknown => ({
      dispatch: (options: unknown, handler: unknown) => passed.push([name, options, handler]) > 0,
    });
    dispatcher.passTo({ current: before('current'), legacy: before('legacy') });
    const [handler, legacy] = [new Handler(), legacyHandler().handler];
    dispatch(dispatcher, other, handler);
    dispatch(dispatcher, other, legacy);
    expect(passed).toEqual([
      ['current', other, handler],
      ['legacy', other, legacy],
    ]);
    expect([passed[0]?.[1] === other, passed[0]?.[2] === handler, passed[1]?.[2] === legacy]).toEqual([true, true, true]);
    dispatch(dispatcher, { ...other, dispatcher }, handler);
    expect(passed[2]?.[1]).toEqual(other);
  });

  it('pass a mesh before this one by, to what was before that', () => {
    const [first, second] = [bench().dispatcher, bench().dispatcher];
    const passed: unknown[] = [];
    const agent = { dispatch: (options: unknown) => passed.push(options) > 0 };
    first.passTo({ current: agent, legacy: agent });
    second.passTo({ current: first, legacy: first });
    first.passTo({ current: second, legacy: second });
    dispatch(second, other, new Handler());
    dispatch(first, other, legacyHandler().handler);
    expect(passed).toHaveLength(2);
  });
});

describe('closing', () => {
  it('closes the mesh, by promise or callback, and never destroys', async () => {
    const one = bench();
    await one.dispatcher.close();
    await one.dispatcher.destroy(null);
    await new Promise<void>((resolve) => one.dispatcher.close(resolve));
    await new Promise<void>((resolve) => one.dispatcher.destroy(resolve));
    await new Promise<void>((resolve) => one.dispatcher.destroy(new Error('x'), resolve));
    expect(one.closed).toBe(5);
  });
});
