// gRPC servers behind the entrance: the four kinds of call, who calls, who may, how long, how many.
import { createRequire } from 'node:module';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { inherited } from '../../../src/core/context.ts';
import { HEALTH_SERVICE } from '../../../src/inbound/grpc/health.ts';
import { peerOf, requestIdOf, signalOf } from '../../../src/inbound/grpc/rpc-peer.ts';
import { type GrpcServerMesh, serve } from '../../../src/inbound/grpc/serve.ts';
import { Inbound } from '../../../src/mesh/inbound.ts';
import { authority } from '../../identity/certificates.ts';
import { identityOf } from '../../support/fixed-identity.ts';
import { unary } from '../../support/grpc-server.ts';
import { CALLER, overHttp1 } from '../secure-server.ts';
import { idle, received, type Served, serving, type ServingOptions } from './serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: ServingOptions = {}): Promise<Served> {
  const served = await serving(options);
  closers.push(served.close);
  return served;
}

describe.each([
  ['plain', undefined],
  ['mTLS', CALLER],
] as const)('calls over %s', (_name, identity) => {
  it('of all four kinds reach the handler in order, and are over', async () => {
    const served = await open();
    const client = served.client(identity);
    expect(await unary(client, 'x')).toMatchObject({ code: 0, text: 'a:x' });
    const counted = await received(client.serverStream(Buffer.from('200')));
    expect(counted).toEqual({ code: 0, messages: Array.from({ length: 200 }, (_, i) => String(i)) });
    const sum = await new Promise((resolve) => {
      const call = client.clientStream(new grpc.Metadata(), {}, (_error, value) => resolve(value?.toString()));
      for (let i = 0; i < 200; i++) call.write(Buffer.from('m'));
      call.end();
    });
    expect(sum).toBe('200');
    const talk = client.bidi();
    const echoed = received(talk);
    for (let i = 0; i < 200; i++) talk.write(Buffer.from(String(i)));
    talk.end();
    expect((await echoed).messages).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
    await idle(served);
    expect(served.app.seen.length).toBe(4);
  });
});

describe('who calls', () => {
  it('is told by the certificate alone; what callers say of themselves is gone', async () => {
    const served = await open();
    const peers: (string | undefined)[] = [];
    served.app.handlers.unary = (call, answer) => {
      peers.push(peerOf(call)?.spiffeId);
      answer(null, Buffer.from(''));
    };
    const metadata = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/default/sa/admin', 'x-envoy-peer': 'a', 'x-mine': 'kept' };
    await unary(served.client(CALLER), '', { metadata });
    await unary(served.client(), '', { metadata });
    expect(peers).toEqual(['spiffe://cluster.local/ns/default/sa/productpage', undefined]);
    for (const seen of served.app.seen) {
      expect([seen.get('x-forwarded-client-cert'), seen.get('x-envoy-peer'), seen.get('x-mine')]).toEqual([[], [], ['kept']]);
    }
  });

  it('is shown in a header where the configuration wants it', async () => {
    const served = await open({ config: { forwardClientCert: true } });
    await unary(served.client(CALLER), '', { metadata: { 'x-forwarded-client-cert': 'spoofed' } });
    const [header, ...more] = served.app.seen[0]?.get('x-forwarded-client-cert') ?? [];
    expect([String(header).includes('URI=spiffe://cluster.local/ns/default/sa/productpage'), more]).toEqual([true, []]);
  });

  it.each([
    ['a plain caller', undefined],
    ['a certificate of strangers', identityOf(authority(), 'productpage')],
    ['a certificate that has run out', identityOf(authority(), 'productpage', { notAfterMs: Date.now() - 1_000 })],
  ])('%s does not get in where mTLS is strict: the application sees nothing', async (_name, identity) => {
    const served = await open({ config: { mtls: 'strict' } });
    const answer = await unary(served.client(identity), 'x', { options: { deadline: Date.now() + 3_000 } });
    expect([answer.code, served.app.seen.length]).toEqual([grpc.status.UNAVAILABLE, 0]);
  });
});

describe('the request id', () => {
  it.each([
    ['of a caller with an identity is kept', CALLER, true],
    ["of anybody else is replaced: it ends up in other people's logs", undefined, false],
  ])('%s', async (_name, identity, isKept) => {
    const served = await open();
    const seen: (string | undefined)[] = [];
    served.app.handlers.unary = (call, answer) => {
      seen.push(requestIdOf(call), inherited()?.requestId);
      answer(null, Buffer.from(''));
    };
    const { headers } = await unary(served.client(identity), '', { metadata: { 'x-request-id': 'abc-1' } });
    const [id] = seen;
    expect(id === 'abc-1').toBe(isKept);
    expect(id).toMatch(/^abc-1$|^[\da-f-]{36}$/);
    expect([seen[1], headers?.get('x-request-id')]).toEqual([id, [id]]);
  });

  it('is made for a call that has none, and is told with a status alone, too', async () => {
    const served = await open();
    served.app.handlers.unary = (_call, answer) => answer({ code: grpc.status.NOT_FOUND, details: '' });
    const { trailers } = await unary(served.client(), '');
    expect(trailers?.get('x-request-id')[0]).toMatch(/^[\da-f-]{36}$/);
  });

  it('is empty for a call that came past the mesh', () => {
    expect(requestIdOf({ metadata: new grpc.Metadata() })).toBe('');
  });
});

describe('a deadline', () => {
  it('ends the call, tells the handler, and is inherited by what it calls', async () => {
    const served = await open();
    const seen = Promise.withResolvers<{ readonly leftMs: number; readonly criticality: number | undefined }>();
    const aborted = Promise.withResolvers<unknown>();
    served.app.handlers.unary = (call) => {
      const context = inherited();
      seen.resolve({ leftMs: (context?.deadlineMs ?? 0) - systemClock.now(), criticality: context?.criticality });
      const signal = signalOf(call);
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
    };
    const metadata = { 'x-inmesh-criticality': 'sheddable' };
    const { code } = await unary(served.client(), 'x', { metadata, options: { deadline: Date.now() + 150 } });
    expect(code).toBe(grpc.status.DEADLINE_EXCEEDED);
    const { leftMs, criticality } = await seen.promise;
    expect(leftMs).toBeGreaterThan(50);
    expect(leftMs).toBeLessThanOrEqual(152);
    expect(criticality).toBeGreaterThanOrEqual(0);
    expect(await aborted.promise).toMatchObject({ code: expect.stringMatching(/deadline_exceeded|canceled/) as string });
    await idle(served);
  });

  it('of the HTTP kind is kept, too', async () => {
    const served = await open();
    served.app.handlers.unary = () => {};
    const { code } = await unary(served.client(), 'x', { metadata: { 'x-envoy-expected-rq-timeout-ms': '60' } });
    expect(code).toBe(grpc.status.DEADLINE_EXCEEDED);
    await idle(served);
  });
});

describe('a call that its caller cancels', () => {
  it('is over for the server, too', async () => {
    const served = await open();
    const begun = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    served.app.handlers.bidi = (call) => {
      const signal = signalOf(call);
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      call.on('error', () => {});
      begun.resolve();
    };
    const talk = served.client().bidi();
    const ended = received(talk);
    talk.write(Buffer.from('x'));
    await begun.promise;
    talk.cancel();
    expect(await aborted.promise).toMatchObject({ code: 'canceled' });
    expect((await ended).code).toBe(grpc.status.CANCELLED);
    await idle(served);
  });
});

describe('admission', () => {
  const LIMITS = { limits: { maxRequests: 1 } } as const;

  it('refuses with UNAVAILABLE and says why; health checks are let in', async () => {
    const served = await open({ config: LIMITS });
    const begun = Promise.withResolvers<() => void>();
    served.app.handlers.unary = (_call, answer) => begun.resolve(() => answer(null, Buffer.from('late')));
    const client = served.client();
    const first = unary(client, 'x');
    const finish = await begun.promise;
    const second = await unary(client, 'x');
    expect([second.code, second.error?.details]).toEqual([grpc.status.UNAVAILABLE, 'server overloaded']);
    expect(second.trailers?.get('x-inmesh-error')).toEqual(['overloaded']);
    finish();
    expect((await first).text).toBe('late');
    await idle(served);
    expect(served.app.seen.length).toBe(1);
  });
});

describe('the same port', () => {
  it('speaks HTTP/1 beside gRPC', async () => {
    const served = await open({ listener: (_request, response) => void response.end('http') });
    expect((await overHttp1({ port: served.port })).text).toBe('http');
    expect((await unary(served.client(), 'x')).text).toBe('a:x');
  });

  it('says so when nobody answers HTTP/1', async () => {
    const served = await open();
    expect(await overHttp1({ port: served.port })).toMatchObject({ status: 415, text: 'this port speaks gRPC' });
  });
});

describe('serve says what is wrong', () => {
  const old = createRequire(import.meta.url)('grpc-js-1.10') as typeof grpc;
  const mesh = { clock: systemClock, inbound: new Inbound({ mtls: 'disable', admission: null }, systemClock) };

  it.each<[string, RegExp, () => Promise<unknown>]>([
    ['a version before 1.12', /serve needs @grpc\/grpc-js 1\.12 or later/, () => serve(mesh, new old.Server(), { grpc: old })],
    ['another copy of grpc-js', /made by another copy of @grpc\/grpc-js; hand it in/, () => serve(mesh, new old.Server())],
    ['what is no mesh', /no mesh of createMesh/, () => serve({ clock: systemClock }, new grpc.Server())],
    ['a second health service', /grpc\.health\.v1\.Health/, () => twice(mesh)],
    ['strict mTLS without a certificate', /this process has no certificate/, () => serving({ identity: null, config: { mtls: 'strict' } })],
    ['a port that is taken', /EADDRINUSE/, async () => serving({ port: (await open()).port })],
  ])('%s', async (_name, message, begin) => {
    await expect(begin()).rejects.toThrow(message);
  });
});

async function twice(mesh: GrpcServerMesh): Promise<unknown> {
  const server = new grpc.Server();
  server.addService(HEALTH_SERVICE, { check() {}, watch() {}, list() {} });
  return serve(mesh, server);
}
