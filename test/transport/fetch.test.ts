import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import { meshError } from '../../src/core/errors.ts';
import { parseDuration } from '../../src/model/duration.ts';
import { MeshDispatcher } from '../../src/transport/dispatcher.ts';
import { type MeshFetch, type MeshFetchInit, meshFetch } from '../../src/transport/fetch.ts';
import type { Outbound } from '../../src/transport/outbound.ts';
import { fakeReply, type FakeReply } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

interface Bench {
  readonly fetch: MeshFetch;
  readonly clock: VirtualClock;
  readonly calls: Call[];
  /** Settles the oldest call that waits. */
  answer(reply: Reply): void;
  fail(error: unknown): void;
}

function bench(outbound: Partial<Outbound> = {}, more: { readonly takesDispatcher?: boolean } = {}): Bench {
  const clock = new VirtualClock();
  const calls: Call[] = [];
  const pending: { resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = [];
  const service = (call: Call): Promise<Reply> => {
    calls.push(call);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    pending.push({ resolve, reject });
    return promise;
  };
  const known: Outbound = {
    clock,
    origin: (origin) => (origin === 'http://reviews' ? { scheme: 'http', authority: 'reviews', service, bodyBytesMax: 65_536 } : null),
    refusesUnknown: false,
    isClosed: false,
    ...outbound,
  };
  const durationMs = (text: string): number => {
    const ms = parseDuration(text);
    if (ms === null) throw new TypeError(`${text} is no duration`);
    return ms;
  };
  const dispatcher = new MeshDispatcher(known, { parseDuration: durationMs, onClose: () => Promise.resolve() });
  return {
    fetch: meshFetch({ outbound: known, dispatcher, parseDuration: durationMs, ...more }),
    clock,
    calls,
    answer: (reply) => pending.shift()?.resolve(reply),
    fail: (error) => pending.shift()?.reject(error),
  };
}

function end(call: Call | undefined): void {
  call?.end({ kind: 'success', status: 200, error: null, endedAtMs: 0 });
}

function ended(status: number, headers: Record<string, string> = {}): FakeReply {
  const reply = fakeReply(status, headers);
  reply.end();
  return reply;
}

describe('mesh.fetch', () => {
  it('makes a call of a plain request', async () => {
    const { fetch, calls, answer } = bench();
    const answered = fetch('http://reviews/a?b', {
      method: 'post',
      headers: { 'X-A': '1' },
      body: 'x',
      mesh: { timeout: '2s', idempotent: true },
    });
    answer(ended(200));
    expect([(await answered).status, (await answered).url]).toEqual([200, 'http://reviews/a?b']);
    expect(calls[0]).toMatchObject({
      scheme: 'http',
      authority: 'reviews',
      method: 'POST',
      path: '/a?b',
      timeoutMs: 2_000,
      idempotent: true,
    });
    expect(calls[0]?.headers).toEqual([
      'X-A',
      '1',
      'content-type',
      'text/plain;charset=UTF-8',
      'accept',
      '*/*',
      'user-agent',
      'node',
      'accept-encoding',
      'gzip, deflate',
    ]);
  });

  it('rejects with the error of the mesh', async () => {
    const { fetch, fail } = bench();
    const error = meshError({ code: 'circuit_open', message: 'x' });
    const answered = fetch('http://reviews/');
    fail(error);
    await expect(answered).rejects.toBe(error);
  });

  it('rejects with the error of the mesh when built-in fetch had to help', async () => {
    const { fetch, fail, calls } = bench();
    const error = meshError({ code: 'circuit_open', message: 'x' });
    const answered = fetch(new Request('http://reviews/', { headers: { 'x-a': '1' } }), { mesh: { timeout: 5 } });
    while (calls.length === 0) await settle();
    expect([calls[0]?.header('x-a'), calls[0]?.timeoutMs]).toEqual(['1', 5]);
    fail(error);
    await expect(answered).rejects.toBe(error);
  });

  it('rejects with a TypeError for what cannot be sent', async () => {
    const { fetch, fail } = bench();
    const cause = new Error('invalid header');
    const answered = fetch('http://reviews/');
    fail(meshError({ code: 'protocol_error', message: 'x', sent: 'none', cause }));
    await expect(answered).rejects.toThrow(new TypeError('invalid header'));
  });

  it('refuses a host that no service names when the mesh says so, but not what is no host', async () => {
    const { fetch } = bench({ refusesUnknown: true });
    await expect(fetch('http://elsewhere/')).rejects.toMatchObject({ code: 'unknown_host' });
    expect(await (await fetch('data:,text')).text()).toBe('text');
  });

  it('refuses a timeout that is none', async () => {
    const { fetch, calls } = bench();
    await expect(fetch('http://reviews/', { mesh: { timeout: 'soon' } })).rejects.toThrow(new TypeError('soon is no duration'));
    expect(calls).toEqual([]);
  });
});

describe('a signal', () => {
  it('aborts the call, and the caller sees its reason', async () => {
    const { fetch, calls, fail } = bench();
    const controller = new AbortController();
    const answered = fetch('http://reviews/', { signal: controller.signal });
    controller.abort('mine');
    expect(calls[0]?.cancelReason).toBe('mine');
    fail(meshError({ code: 'canceled', message: 'x', cause: 'mine' }));
    await expect(answered).rejects.toBe('mine');
  });

  it('that fires between the answer and its delivery still rejects', async () => {
    const { fetch, answer } = bench();
    const controller = new AbortController();
    const answered = fetch('http://reviews/', { signal: controller.signal });
    const reply = fakeReply(200);
    answer(reply);
    controller.abort('mine');
    await expect(answered).rejects.toBe('mine');
    expect(reply.log).toEqual(['discard']);
  });

  it('is listened to until the last byte, and no longer', async () => {
    const { fetch, calls, answer } = bench();
    const { signal } = new AbortController();
    const answered = fetch('http://reviews/', { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    answer(ended(200));
    await answered;
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    end(calls[0]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('aborted before: there is no call', async () => {
    const { fetch, calls } = bench();
    await expect(fetch('http://reviews/', { signal: AbortSignal.abort('mine') })).rejects.toBe('mine');
    expect(calls).toEqual([]);
  });
});

describe('a body', () => {
  it('is let go when the call has ended', async () => {
    const { fetch, calls, answer } = bench();
    let cancelled = 0;
    const body = new ReadableStream({ cancel: () => void cancelled++ });
    const answered = fetch('http://reviews/', { method: 'POST', body, duplex: 'half' } as RequestInit);
    answer(ended(200));
    await answered;
    expect(cancelled).toBe(0);
    end(calls[0]);
    expect(cancelled).toBe(1);
  });

  it.each([
    ['long', 'x'.repeat(70_000), {}, '70000'],
    ['long, with a length of the caller', 'x'.repeat(70_000), { 'Content-Length': '70000' }, '70000'],
    ['short: undici counts', 'x', {}, undefined],
  ])('%s', (_, body, headers, length) => {
    const { fetch, calls } = bench();
    void fetch('http://reviews/', { method: 'PUT', body, headers });
    expect(calls[0]?.headers.filter((name) => /^content-length$/i.test(name))).toHaveLength(length === undefined ? 0 : 1);
    expect(calls[0]?.header('content-length')).toBe(length);
  });
});

describe('a redirect', () => {
  it('drains the answer, and makes a call of its own within the same time', async () => {
    const { fetch, calls, answer, clock } = bench();
    const answered = fetch('http://reviews/', { mesh: { timeout: 1_000 } });
    clock.advance(300);
    const moved = fakeReply(302, { location: '/there' });
    answer(moved);
    await settle();
    expect([moved.log, calls.map(({ path, timeoutMs }) => [path, timeoutMs])]).toEqual([
      ['discard'],
      [
        ['/', 1_000],
        ['/there', 700],
      ],
    ]);
    clock.advance(5_000);
    answer(fakeReply(302, { location: '/late' }));
    await settle();
    expect(calls[2]?.timeoutMs).toBe(1);
    answer(ended(200));
    expect([(await answered).url, (await answered).redirected]).toEqual(['http://reviews/late', true]);
  });
});

describe('mesh.fetch where built-in fetch takes no dispatcher', () => {
  const elsewhere = (outbound: Partial<Outbound> = {}): Bench => bench(outbound, { takesDispatcher: false });
  const text = async (call: Call | undefined): Promise<string> => {
    const opened = call?.body?.open() as AsyncIterable<Uint8Array>;
    return new Response(ReadableStream.from(opened) as unknown as ReadableStream).text();
  };

  it.each<[string, string | Request, MeshFetchInit, string, string]>([
    ['a Request', new Request('http://reviews/r', { method: 'POST', body: 'hello' }), {}, 'POST /r', 'hello'],
    ['a method that is not normalised', 'http://reviews/m', { method: 'PROPFIND' }, 'PROPFIND /m', ''],
    ['cache and credentials', 'http://reviews/c', { cache: 'no-store', credentials: 'include' }, 'GET /c', ''],
    ['headers that are no strings', 'http://reviews/h', { headers: { 'x-n': 1 } as never }, 'GET /h', ''],
  ])('goes through the mesh all the same: %s', async (_, input, init, wanted, body) => {
    const { fetch, calls, answer } = elsewhere();
    const answered = fetch(input, init);
    answer(ended(200));
    expect((await answered).status).toBe(200);
    const [call] = calls;
    expect(`${call?.method} ${call?.path}`).toBe(wanted);
    if (body !== '') expect(await text(call)).toBe(body);
  });

  it('sends a form with its type', async () => {
    const { fetch, calls, answer } = elsewhere();
    const form = new FormData();
    form.set('a', 'b');
    const answered = fetch('http://reviews/', { method: 'POST', body: form, mesh: { timeout: 500 } });
    answer(ended(200));
    await answered;
    const [call] = calls;
    expect([call?.timeoutMs, call?.header('content-type')?.split(';')[0]]).toEqual([500, 'multipart/form-data']);
    expect(await text(call)).toContain('name="a"');
  });

  it('obeys a signal that was aborted before, and one that is later', async () => {
    const { fetch, calls } = elsewhere();
    const reason = new Error('enough');
    await expect(fetch('http://reviews/', { signal: AbortSignal.abort(reason), cache: 'no-store' })).rejects.toBe(reason);
    const controller = new AbortController();
    fetch('http://reviews/', { signal: controller.signal, cache: 'no-store' }).catch(() => {});
    controller.abort(reason);
    expect(calls.map(({ cancelReason }) => cancelReason)).toEqual([reason]);
  });

  it('refuses a host that is nobody here, when told to', async () => {
    const { fetch } = elsewhere({ refusesUnknown: true });
    await expect(fetch(new Request('http://elsewhere/'))).rejects.toMatchObject({ code: 'unknown_host' });
  });
});
