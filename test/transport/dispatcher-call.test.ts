import { describe, expect, it } from 'vitest';
import type { Call } from '../../src/core/call.ts';
import { type Bench, bench, body200, bytes, dispatch, GET, Handler, legacyHandler, type Options } from './dispatch-bench.ts';

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
