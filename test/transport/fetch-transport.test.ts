import { describe, expect, it } from 'vitest';
import type { Call, Endpoint, Reply } from '../../src/core/call.ts';
import type { MeshError } from '../../src/core/errors.ts';
import type { TlsPolicy } from '../../src/model/destination.ts';
import { requestBody } from '../../src/transport/body.ts';
import { fetchTransport } from '../../src/transport/fetch-transport.ts';
import { testCall } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { Recorder } from './fake-wire.ts';

const ENDPOINT = { address: '10.0.0.1:80', host: '10.0.0.1', port: 80, labels: {}, locality: '' } as unknown as Endpoint;

interface Play {
  readonly clock: VirtualClock;
  readonly call: Call;
  readonly reply: Promise<Reply>;
  readonly sent: { url: string; init: RequestInit & { headers: Headers } }[];
  answer(response: Response): Promise<Reply>;
  fail(error: unknown): Promise<MeshError>;
}

function play(init: Parameters<typeof testCall>[0] = {}, tls?: TlsPolicy, change: (call: Call) => void = () => {}): Play {
  const clock = new VirtualClock();
  const sent: Play['sent'] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const send = (url: string, given: RequestInit): Promise<Response> => {
    sent.push({ url, init: given as Play['sent'][number]['init'] });
    return promise;
  };
  const call = testCall(init).fork(1, clock.now());
  change(call);
  const reply = fetchTransport({ clock, send })(ENDPOINT, 'reviews', tls === undefined ? undefined : () => tls)(call);
  reply.catch(() => {});
  return {
    clock,
    call,
    reply,
    sent,
    answer: (response) => {
      resolve(response);
      return reply;
    },
    fail: async (error) => {
      reject(error);
      return reply.then(
        () => Promise.reject(new Error('it was answered')),
        (told: MeshError) => told,
      );
    },
  };
}

/** A body that the test writes by hand. */
function body(): {
  stream: ReadableStream<Uint8Array>;
  write: (text: string) => void;
  end: () => void;
  isCanceled: () => boolean;
  reads: () => number;
} {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let isCanceled = false;
  let reads = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        reads++;
      },
      cancel() {
        isCanceled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    write: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    isCanceled: () => isCanceled,
    reads: () => reads,
  };
}

describe('the transport over fetch, on the way there', () => {
  it('sends to the endpoint, with the headers of the last hop', () => {
    const { sent } = play({ path: '/a?b', headers: ['x-a', '1', 'accept-encoding', 'zstd'], deadlineMs: 3_000 });
    const [{ url, init }] = sent as [Play['sent'][number]];
    expect(url).toBe('http://10.0.0.1:80/a?b');
    expect([init.method, init.redirect]).toEqual(['GET', 'manual']);
    expect(init.headers.get('x-a')).toBe('1');
    expect(init.headers.get('x-envoy-expected-rq-timeout-ms')).toBe('2000');
    expect(init.headers.get('accept-encoding')).toBeNull();
  });

  it('leaves identity as it is: a range cannot be decoded', () => {
    expect(play({ headers: ['accept-encoding', 'identity'] }).sent[0]?.init.headers.get('accept-encoding')).toBe('identity');
  });

  it('writes brackets around IPv6', () => {
    const sent: string[] = [];
    const send = (url: string): Promise<Response> => {
      sent.push(url);
      return new Promise(() => {});
    };
    void fetchTransport({ clock: new VirtualClock(), send })({ ...ENDPOINT, host: '::1' }, 'a')(testCall());
    expect(sent).toEqual(['http://[::1]:80/']);
  });

  it.each<[string, unknown, string]>([
    ['text', 'hello', 'hello'],
    ['bytes', new TextEncoder().encode('hello'), 'hello'],
    ['a stream', new Response('hello').body, 'hello'],
    ['more than may be kept', 'x'.repeat(100), 'x'.repeat(100)],
  ])('sends %s', async (_, value, wanted) => {
    const given = requestBody(value, -1, 50);
    const [one] = play({ method: 'POST', body: given, headers: ['content-length', '5'] }).sent;
    expect(one?.init.headers.has('content-length')).toBe(false);
    expect(await new Response(one?.init.body as string).text()).toBe(wanted);
  });

  it.each<[string, TlsPolicy | undefined, string, string | RegExp]>([
    ['the scheme of the call', undefined, 'https', 'https://10.0.0.1:80/'],
    ['the scheme of the call', { mode: 'disable' }, 'http', 'http://10.0.0.1:80/'],
    ['https for tls: simple', { mode: 'simple' }, 'http', 'https://10.0.0.1:80/'],
    ['nothing for tls: mutual', { mode: 'mutual' }, 'https', /mode: mutual needs the transport of Node/],
    ['nothing for roots of our own', { mode: 'simple', ca: 'PEM' }, 'https', /tls with ca needs/],
    ['nothing unverified', { mode: 'simple', verify: 'none' }, 'https', /tls with verify needs/],
  ])('takes %s', async (_, tls, scheme, wanted) => {
    const { sent, reply, call } = play({ scheme }, tls);
    if (typeof wanted === 'string') {
      expect(sent[0]?.url).toBe(wanted);
      return;
    }
    await expect(reply).rejects.toThrow(wanted);
    await expect(reply).rejects.toMatchObject({ code: 'protocol_error', sent: 'none' });
    expect([sent.length, call.outcome?.kind]).toEqual([0, 'ignored']);
  });

  it('refuses what fetch cannot carry', async () => {
    const grpc = play({}, undefined, (call) => {
      call.carrier = { protocol: 'grpc', send: () => Promise.reject(new Error('never')) };
    });
    await expect(grpc.reply).rejects.toThrow('gRPC needs a connection of its own');
    const upgrade = play({}, undefined, (call) => {
      call.upgrade = 'websocket';
    });
    await expect(upgrade.reply).rejects.toThrow('fetch cannot switch to websocket');
  });
});

describe('the transport over fetch, on the way back', () => {
  it('gives the head, without what was true of the bytes before they were decoded', async () => {
    const headers = new Headers({ 'content-encoding': 'gzip', 'content-length': '3', 'x-a': '1' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    const reply = await play().answer(new Response('hello', { status: 201, statusText: 'Made', headers }));
    expect([reply.status, reply.statusText]).toEqual([201, 'Made']);
    expect(reply.headers).toEqual({ 'content-type': 'text/plain;charset=UTF-8', 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] });
  });

  it('ends the call when a small answer is through, though nobody reads it', async () => {
    const { answer, call } = play();
    const reply = await answer(new Response('hello', { status: 503 }));
    await settle();
    expect(call.outcome).toMatchObject({ kind: 'failure', status: 503 });
    const sink = new Recorder();
    reply.attach(sink);
    expect([sink.text, sink.log.at(-1)]).toEqual(['hello', 'end']);
  });

  it('ends the call at once when there is no body', async () => {
    const { answer, call } = play();
    await answer(new Response(null, { status: 204 }));
    expect(call.outcome).toMatchObject({ kind: 'success', status: 204 });
  });

  it('reads no further than 64 KiB for nobody, and no chunk for one who pauses', async () => {
    const { stream, write, reads } = body();
    const { answer, call } = play();
    const reply = await answer(new Response(stream));
    write('x'.repeat(65_537));
    await settle();
    expect(reads()).toBe(1);
    write('y');
    await settle();
    const sink = new Recorder();
    sink.wants = false;
    reply.attach(sink);
    await settle();
    expect(sink.bytes).toBe(65_537);
    sink.wants = true;
    reply.resume();
    await settle();
    expect([sink.bytes, call.outcome]).toEqual([65_538, null]);
  });

  it('tells the reader of a break, and the call of a loss', async () => {
    const { answer, call } = play();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('broke off')) });
    const reply = await answer(new Response(broken));
    await settle();
    const sink = new Recorder();
    reply.attach(sink);
    expect(sink.error).toMatchObject({ code: 'connection_lost', sent: 'body' });
    expect([call.outcome?.kind, reply.intact]).toEqual(['failure', false]);
  });

  it('keeps what is held, drops what is discarded, and gives up what is long or slow', async () => {
    const held = play();
    const kept = await held.answer(new Response('hello', { status: 503 }));
    kept.hold();
    await settle();
    expect([kept.intact, held.call.outcome?.status]).toEqual([true, 503]);

    const long = play();
    const dropped = await long.answer(new Response('x', { headers: { 'content-length': '70000' } }));
    dropped.discard();
    expect([dropped.intact, long.sent[0]?.init.signal?.aborted, long.call.outcome?.kind]).toEqual([false, true, 'success']);

    const slow = play();
    const dripping = body();
    const left = await slow.answer(new Response(dripping.stream));
    left.discard();
    slow.clock.advance(1_000);
    expect([slow.sent[0]?.init.signal?.aborted, slow.call.outcome?.kind]).toEqual([true, 'success']);
  });

  it('lets a held answer be read after all, for as long as the call has', async () => {
    const { answer, clock, call } = play({ deadlineMs: 9_000 });
    const { stream, write, end } = body();
    const reply = await answer(new Response(stream));
    reply.hold();
    const sink = new Recorder();
    reply.attach(sink);
    clock.advance(2_000);
    write('late');
    end();
    await settle();
    expect([sink.text, sink.log.at(-1), call.outcome?.kind]).toEqual(['late', 'end', 'success']);
  });
});

describe('the transport over fetch, when it fails', () => {
  it.each<[string, unknown, object]>([
    ['Node', new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) }), { sent: 'none' }],
    ['Bun', Object.assign(new Error('Unable to connect'), { code: 'ConnectionRefused' }), { sent: 'none' }],
    ['Deno', new TypeError('error sending request: client error (Connect): tcp connect error'), { sent: 'none' }],
    ['a URL that says so', new TypeError('error sending request for url (http://a/ECONNREFUSED(Connect))'), { sent: 'head' }],
    ['workerd', new Error('Network connection lost.'), { sent: 'head', retryable: false }],
  ])('believes only a runtime that nothing was sent: %s', async (_, error, wanted) => {
    const { fail, call } = play();
    const told = await fail(error);
    expect(told).toMatchObject({ code: (wanted as { sent: string }).sent === 'none' ? 'connect_failed' : 'connection_lost', ...wanted });
    expect(call.outcome?.error).toBe(told);
  });

  it('blames nobody for a body that the caller could not give', async () => {
    const given = requestBody('x', -1, 50);
    const { fail, call } = play({ method: 'POST', body: { ...given, failure: new Error('mine'), open: () => 'x', release() {} } as never });
    expect(await fail(new TypeError('fetch failed'))).toMatchObject({ code: 'canceled' });
    expect(call.outcome?.kind).toBe('ignored');
  });

  it.each<[string, object, number, object]>([
    ['the attempt', { attemptDeadlineMs: 1_500, deadlineMs: 9_000 }, 500, { code: 'attempt_timeout', sent: 'head' }],
    ['the call', { deadlineMs: 1_500 }, 500, { code: 'deadline_exceeded', sent: 'head' }],
  ])('ends when the time of %s is over', async (_, times, afterMs, wanted) => {
    const { clock, reply, sent, answer, call } = play({}, undefined, (one) => Object.assign(one, times));
    clock.advance(afterMs);
    await expect(reply).rejects.toMatchObject(wanted);
    expect(sent[0]?.init.signal?.aborted).toBe(true);
    const { stream, isCanceled } = body();
    await answer(new Response(stream)).catch(() => {});
    await settle();
    expect([isCanceled(), call.outcome?.status]).toEqual([true, 0]);
  });

  it('ends in the body when the time of the call is over, not that of the attempt', async () => {
    const { clock, answer } = play({}, undefined, (one) => Object.assign(one, { attemptDeadlineMs: 1_500, deadlineMs: 3_000 }));
    const reply = await answer(new Response(body().stream));
    const sink = new Recorder();
    reply.attach(sink);
    clock.advance(1_000);
    expect(sink.error).toBeUndefined();
    clock.advance(1_000);
    expect(sink.error).toMatchObject({ code: 'deadline_exceeded', sent: 'body' });
  });

  it('ends with the word of the caller', async () => {
    const reason = new Error('enough');
    const before = play();
    before.call.cancel(reason);
    await expect(before.reply).rejects.toMatchObject({ code: 'canceled', cause: reason });
    const within = play();
    const reply = await within.answer(new Response(body().stream));
    const sink = new Recorder();
    reply.attach(sink);
    within.call.cancel(reason);
    expect([sink.error, within.call.outcome?.kind]).toEqual([reason, 'ignored']);
  });

  it('sends nothing for a caller who has gone', async () => {
    const { sent, reply } = play({}, undefined, (call) => call.parent?.cancel(new Error('gone')));
    await expect(reply).rejects.toMatchObject({ code: 'canceled' });
    expect(sent).toEqual([]);
  });

  it('takes what a fetch throws at once for a failure like others', async () => {
    const call = testCall().fork(1, 1_000);
    const send = (): never => {
      throw new TypeError('no such binding');
    };
    const reply = fetchTransport({ clock: new VirtualClock(), send })(ENDPOINT, 'reviews')(call);
    await expect(reply).rejects.toMatchObject({ code: 'connection_lost', sent: 'head' });
    expect(call.outcome?.kind).toBe('failure');
  });

  it('blames the caller for what cannot be written', async () => {
    const { sent, reply, call } = play({ headers: ['x y', '1'] });
    await expect(reply).rejects.toMatchObject({ code: 'protocol_error', sent: 'none' });
    expect([sent.length, call.outcome?.kind]).toEqual([0, 'ignored']);
  });
});
