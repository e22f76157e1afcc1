// Policies on `/package.Service/Method`: the same engine as for HTTP, its verdicts in the words of gRPC.
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { compileAccess } from '../../../src/access/access.ts';
import { AccessCheck, type AccessParts } from '../../../src/access/check.ts';
import type { AccessRequest } from '../../../src/access/request.ts';
import { NO_EDITS } from '../../../src/access/head-edit.ts';
import { unary } from '../../support/grpc-server.ts';
import { allow, deny, SELF } from '../../access/cases.ts';
import { CALLER } from '../secure-server.ts';
import { received, type Served, serving, type ServingOptions } from './serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(options: ServingOptions = {}): Promise<Served> {
  const served = await serving(options);
  closers.push(served.close);
  return served;
}

/** Of these parts, and no policy. */
function checkOf(parts: Partial<AccessParts>): AccessCheck {
  return new AccessCheck({ access: compileAccess([], SELF), tokens: null, authorizers: new Map(), functions: [], ...parts });
}

const DENIED = [grpc.status.PERMISSION_DENIED, 'RBAC: access denied'];

describe('a policy', () => {
  it('lets in one method of a service and no other', async () => {
    const served = await open({ config: { policies: [allow({ paths: ['/test.Echo/Unary'] })] } });
    const client = served.client();
    expect((await unary(client, 'x')).text).toBe('a:x');
    expect(await received(client.serverStream(Buffer.from('3')))).toEqual({ code: grpc.status.PERMISSION_DENIED, messages: [] });
    const talk = client.bidi();
    const ended = received(talk);
    talk.write(Buffer.from('x'));
    expect((await ended).code).toBe(grpc.status.PERMISSION_DENIED);
    expect(served.app.seen.length).toBe(1);
  });

  it('says what a sidecar says', async () => {
    const served = await open({ config: { policies: [deny({ paths: ['/test.Echo/*'] })] } });
    const { code, error } = await unary(served.client(), 'x');
    expect([code, error?.details]).toEqual(DENIED);
    expect(served.app.seen.length).toBe(0);
  });

  it('knows callers by their certificates, and nobody on a plain connection', async () => {
    const productpage = { principals: { values: ['cluster.local/ns/default/sa/productpage'], notValues: [] } };
    const base = allow({ paths: ['/test.Echo/*'] });
    const policy = { ...base, rules: base.rules.map((rule) => ({ ...rule, from: [productpage] })) };
    const served = await open({ config: { policies: [policy] } });
    expect((await unary(served.client(CALLER), 'x')).code).toBe(0);
    expect((await unary(served.client(), 'x')).code).toBe(grpc.status.PERMISSION_DENIED);
  });

  it('holds from the next call on after a reload, on the same connection', async () => {
    const served = await open();
    const client = served.client();
    expect((await unary(client, 'x')).code).toBe(0);
    served.inbound.update({ mtls: 'permissive', admission: null, policies: [deny({ paths: ['/*'] })] });
    expect((await unary(client, 'x')).code).toBe(grpc.status.PERMISSION_DENIED);
  });
});

describe('what stands before the rules', () => {
  it('is asked about the method, its metadata and its caller', async () => {
    const asked: AccessRequest[] = [];
    const ask = async (request: AccessRequest): Promise<boolean> => {
      asked.push(request);
      await Promise.resolve();
      return request.headers.includes('ada');
    };
    const served = await open({ setup: { check: checkOf({ functions: [ask] }) } });
    const client = served.client(CALLER);
    expect((await unary(client, 'x', { metadata: { 'x-user': 'eve' } })).code).toBe(grpc.status.PERMISSION_DENIED);
    expect((await unary(client, 'x', { metadata: { 'x-user': 'ada' } })).text).toBe('a:x');
    const { method, target, peer, isTls, localPort, peerAddress } = asked[1] as AccessRequest;
    expect({ method, target, isTls, localPort, peerAddress }).toEqual({
      method: 'POST',
      target: '/test.Echo/Unary',
      isTls: true,
      localPort: served.port,
      peerAddress: '127.0.0.1',
    });
    expect(peer?.serviceAccount).toBe('productpage');
  });

  it('answers UNAUTHENTICATED for a token that is wrong', async () => {
    const tokens = { check: () => Promise.resolve({ fault: 'Jwt is expired', jwt: null, edits: NO_EDITS }) };
    const served = await open({ setup: { check: checkOf({ tokens }) } });
    const { code, error, trailers } = await unary(served.client(), 'x');
    expect([code, error?.details]).toEqual([grpc.status.UNAUTHENTICATED, 'Jwt is expired']);
    expect(trailers?.get('www-authenticate')).toEqual(['Bearer error="invalid_token"']);
    expect(served.app.seen.length).toBe(0);
  });

  it('changes metadata as it would change headers', async () => {
    const edits = { ...NO_EDITS, remove: ['authorization'], set: [['x-user', 'ada'] as const] };
    const tokens = { check: () => Promise.resolve({ fault: '', jwt: null, edits }) };
    const served = await open({ setup: { check: checkOf({ tokens }) } });
    const metadata = { authorization: 'Bearer x', 'x-user': 'eve', 'x-more': 'kept' };
    expect((await unary(served.client(), 'x', { metadata })).code).toBe(0);
    const [seen] = served.app.seen;
    expect([seen?.get('authorization'), seen?.get('x-user'), seen?.get('x-more')]).toEqual([[], ['ada'], ['kept']]);
  });
});
