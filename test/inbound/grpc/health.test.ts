// grpc.health.v1 of a server of the mesh, and how such a server ends: nobody loses a call.
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import {
  readHealthList,
  readHealthRequest,
  readHealthResponse,
  type ServingStatus,
  writeHealthList,
  writeHealthRequest,
  writeHealthResponse,
} from '../../../src/inbound/grpc/health-message.ts';
import { HEALTH_SERVICE, type HealthRequest } from '../../../src/inbound/grpc/health.ts';
import { ADMISSION_DEFAULTS } from '../../../src/model/inbound.ts';
import { unary } from '../../support/grpc-server.ts';
import { CALLER } from '../secure-server.ts';
import { credentialsOf, idle, received, type Served, serving, type ServingOptions } from './serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: ServingOptions = {}): Promise<Served> {
  const served = await serving(options);
  closers.push(served.close);
  return served;
}

interface HealthClient extends grpc.Client {
  check(request: HealthRequest, done: grpc.requestCallback<ServingStatus>): void;
  list(request: HealthRequest, done: grpc.requestCallback<ReadonlyMap<string, ServingStatus>>): void;
  watch(request: HealthRequest): grpc.ClientReadableStream<ServingStatus>;
}

const HealthClientClass = grpc.makeGenericClientConstructor(HEALTH_SERVICE as unknown as grpc.ServiceDefinition, 'Health');

function healthOf({ port }: Served): HealthClient {
  const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 };
  const client = new HealthClientClass(`127.0.0.1:${port}`, credentialsOf(CALLER), options) as unknown as HealthClient;
  closers.push(() => client.close());
  return client;
}

function checked(client: HealthClient, service = ''): Promise<ServingStatus | number> {
  return new Promise((resolve) => client.check({ service }, (error, status) => resolve(error?.code ?? status ?? 'UNKNOWN')));
}

/** The next status that a watcher is told, or the code of its end. */
function told(stream: grpc.ClientReadableStream<ServingStatus>): () => Promise<ServingStatus | number> {
  const come: (ServingStatus | number)[] = [];
  let wake: (() => void) | null = null;
  const note = (one: ServingStatus | number): void => {
    come.push(one);
    wake?.();
  };
  stream.on('data', note);
  stream.on('error', () => {});
  stream.on('status', ({ code }: grpc.StatusObject) => note(code));
  return async () => {
    while (come.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return come.shift() as ServingStatus | number;
  };
}

describe('the messages', () => {
  it.each(['', 'a', 'shop.Reviews', 'é'.repeat(200)])('of a request for %s come back', (service) => {
    expect(readHealthRequest(writeHealthRequest(service))).toBe(service);
  });

  it('are those of the protocol', () => {
    expect(writeHealthRequest('ab')).toEqual(Buffer.from([0x0a, 2, 0x61, 0x62]));
    expect(writeHealthResponse('SERVING')).toEqual(Buffer.from([8, 1]));
    expect(writeHealthResponse('UNKNOWN')).toEqual(Buffer.alloc(0));
    expect(readHealthResponse(Buffer.from([8, 3]))).toBe('SERVICE_UNKNOWN');
    expect(readHealthResponse(Buffer.from([8, 9]))).toBe('UNKNOWN');
    const all = new Map<string, ServingStatus>([
      ['', 'SERVING'],
      ['a.B', 'NOT_SERVING'],
    ]);
    expect(writeHealthList(new Map([['a', 'SERVING']]))).toEqual(Buffer.from([0x0a, 7, 0x0a, 1, 0x61, 0x12, 2, 8, 1]));
    expect(readHealthList(writeHealthList(all))).toEqual(all);
  });
});

describe('health', () => {
  it('is that of the mesh, and of the services that were named', async () => {
    const served = await open();
    const client = healthOf(served);
    expect([await checked(client), await checked(client, 'shop.Reviews')]).toEqual(['SERVING', grpc.status.NOT_FOUND]);
    served.health.set('shop.Reviews', false);
    expect(await checked(client, 'shop.Reviews')).toBe('NOT_SERVING');
    served.health.set('shop.Reviews', true);
    expect(await checked(client, 'shop.Reviews')).toBe('SERVING');
    const list = await new Promise((resolve) => client.list({ service: '' }, (_error, statuses) => resolve(statuses)));
    expect(list).toEqual(
      new Map([
        ['', 'SERVING'],
        ['shop.Reviews', 'SERVING'],
      ]),
    );
    served.inbound.retire();
    expect([await checked(client), await checked(client, 'shop.Reviews')]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
  });

  it('is told at once to those who watch, and their streams do not hold up the end', async () => {
    const served = await open();
    const client = healthOf(served);
    const next = told(client.watch({ service: '' }));
    const nextOfNone = told(client.watch({ service: 'shop.None' }));
    expect([await next(), await nextOfNone()]).toEqual(['SERVING', 'SERVICE_UNKNOWN']);
    served.health.set('shop.None', true);
    expect(await nextOfNone()).toBe('SERVING');
    served.inbound.retire();
    expect([await next(), await nextOfNone()]).toEqual(['NOT_SERVING', 'NOT_SERVING']);
    expect((await unary(served.client(), 'x')).text).toBe('a:x');
    await served.inbound.close(60_000);
    expect([await next(), await nextOfNone()]).toEqual([grpc.status.UNAVAILABLE, grpc.status.UNAVAILABLE]);
  });

  it('takes no place from calls', async () => {
    const one = { limitMin: 1, limitInitial: 1, limitMax: 1, eventLoopDelayMs: 0, latencyFactor: 0 };
    const served = await open({ config: { admission: { ...ADMISSION_DEFAULTS, ...one } } });
    const client = healthOf(served);
    const next = told(client.watch({ service: '' }));
    expect(await next()).toBe('SERVING');
    const begun = Promise.withResolvers<() => void>();
    served.app.handlers.unary = (_call, answer) => begun.resolve(() => answer(null, Buffer.from('late')));
    const first = unary(served.client(), 'x');
    const finish = await begun.promise;
    const second = await unary(served.client(), 'x');
    expect(second.code).toBe(grpc.status.UNAVAILABLE);
    expect(second.trailers?.get('grpc-retry-pushback-ms')).toEqual(['1000']);
    expect(second.trailers?.get('x-inmesh-load')).toEqual(['1.00']);
    expect(await checked(client)).toBe('SERVING');
    finish();
    expect((await first).code).toBe(0);
  });

  it('can be left to the server', async () => {
    const served = await open({ health: false });
    expect(await checked(healthOf(served))).toBe(grpc.status.UNIMPLEMENTED);
  });
});

describe('the end', () => {
  it('lets calls and streams finish, and callers that go on lose none', async () => {
    const old = await open();
    const client = old.client(CALLER);
    const begun = Promise.withResolvers<() => void>();
    old.app.handlers.unary = (_call, answer) => begun.resolve(() => answer(null, Buffer.from('late')));
    const held = unary(client, 'x');
    const talk = client.bidi();
    const echoed = received(talk);
    talk.write(Buffer.from('1'));
    const finish = await begun.promise;
    const closed = old.inbound.close(10_000);
    await new Promise((resolve) => talk.once('data', resolve));
    talk.write(Buffer.from('2'));
    talk.end();
    finish();
    expect((await held).text).toBe('late');
    expect(await echoed).toEqual({ code: 0, messages: ['1', '2'] });
    await closed;
    expect((await unary(client, 'x', { options: { deadline: Date.now() + 200 } })).code).not.toBe(0);
  });

  it('cuts off what is not done in time', async () => {
    const served = await open();
    const begun = Promise.withResolvers<void>();
    served.app.handlers.unary = () => begun.resolve();
    const held = unary(served.client(), 'x');
    await begun.promise;
    await served.inbound.close(20);
    expect((await held).code).toBe(grpc.status.UNAVAILABLE);
    expect(served.inbound.snapshot().inFlight).toBe(0);
  });

  it('of a connection comes with its age: GOAWAY, and no call fails', async () => {
    const served = await open({ config: { limits: { connectionAgeMs: 40 } } });
    const client = served.client(CALLER);
    let connections = 0;
    served.server.on('connection', () => connections++);
    const codes: number[] = [];
    while (connections < 4) codes.push((await unary(client, 'x')).code);
    expect(codes.filter((code) => code !== 0)).toEqual([]);
    await idle(served);
  });
});
