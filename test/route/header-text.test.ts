import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/core/call.ts';
import type { HeaderOperations } from '../../src/model/route.ts';
import { headerLayer } from '../../src/route/header-layer.ts';
import { compileHeaderText } from '../../src/route/header-text.ts';
import { fakeReply, testCall } from '../support/fake-service.ts';

const operations = (part: Partial<HeaderOperations>): HeaderOperations => ({ set: {}, add: {}, remove: [], formatted: true, ...part });
const call = () => testCall({ headers: ['X-A', '1', 'x-a', '2', 'Origin', 'https://foo.com'] });

describe('compileHeaderText', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['50%%', '50%'],
    ['%REQ(origin)%', 'https://foo.com'],
    ['%REQ(ORIGIN)%', 'https://foo.com'],
    ['<%REQ(x-a)%>', '<1,2>'],
    ['%REQ(x-b)%', ''],
    ['%REQ(x-b?origin)%', 'https://foo.com'],
    ['%REQ(origin):5%', 'https'],
    ['%REQ(:method)% %REQ(:path)%', 'GET /'],
    ['%RESP(server)%', 'envoy'],
    ['%RESP(constructor)%', ''],
    ['%HOSTNAME%', hostname()],
    ['%UPSTREAM_REMOTE_ADDRESS%', ''],
    ['%START_TIME(%Y)%', ''],
    ['%PROTOCOL%', 'HTTP/1.1'],
    ['%DOWNSTREAM_PEER_URI_SAN%', ''],
    ['%REQ(:authority)% %REQ(host)% %REQ(:scheme)%', 'reviews reviews http'],
    ['%RESP(set-cookie)%', 'a=1,b=2'],
    ['%HOSTNAME%!', `${hostname()}!`],
    ['!%HOSTNAME%', `!${hostname()}`],
    ['%REQ()%', ''],
    ['%REQ(x-a)%%%%REQ(origin)%', '1,2%https://foo.com'],
    ['half % and %REQ(', 'half % and %REQ('],
  ])('%s', (text, value) => {
    expect(compileHeaderText(text)(call(), fakeReply(200, { server: 'envoy', 'set-cookie': ['a=1', 'b=2'] }))).toBe(value);
  });

  it.each([
    ['%START_TIME%', '2026-11-21T22:00:00.250Z'],
    ['%START_TIME(%s)%', '1795298400'],
  ])('%s is when the call began', (text, value) => {
    const started = testCall({ startedAtMs: 1_000 });
    const clock = { now: () => 1_750, wall: () => Date.UTC(2026, 10, 21, 22, 0, 1) };
    expect(compileHeaderText(text, clock)(started, null)).toBe(value);
  });

  it('knows where an attempt goes, and on the way out nothing of the answer', () => {
    const attempt = call();
    attempt.endpoint = { address: '10.0.0.1:80' } as unknown as Endpoint;
    expect(compileHeaderText('%UPSTREAM_REMOTE_ADDRESS%')(attempt, null)).toBe('10.0.0.1:80');
    expect(compileHeaderText('<%RESP(server)%>')(attempt, null)).toBe('<>');
  });

  it('law: a text whose percent signs are doubled is itself', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(compileHeaderText(text.replaceAll('%', '%%'))(call(), null)).toBe(text);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

describe('headerLayer: formatted', () => {
  it('puts the call into what is sent', async () => {
    const seen = call();
    const layer = headerLayer(operations({ set: { 'x-from': '%REQ(origin)%' }, add: { 'x-none': '%REQ(x-b)%' } }), undefined);
    await layer(async () => fakeReply(200))(seen);
    expect(seen.headers.slice(-2)).toEqual(['x-from', 'https://foo.com']);
  });

  it('puts the call into what comes back, raw headers too', async () => {
    const reply = fakeReply(200, { 'access-control-allow-origin': '*' });
    reply.rawHeaders = ['Access-Control-Allow-Origin', '*'];
    const layer = headerLayer(undefined, operations({ set: { 'access-control-allow-origin': '%REQ(origin)%' } }));
    const given = await layer(async () => reply)(call());
    expect(given.headers).toEqual({ 'access-control-allow-origin': 'https://foo.com' });
    expect(given.rawHeaders).toEqual(['access-control-allow-origin', 'https://foo.com']);
  });

  it('appends at the end, one name as often as it stands there', async () => {
    const seen = call();
    const append = [['x-c', '%REQ(x-a)%'] as const, ['x-c', 'b'] as const];
    await headerLayer(operations({ append }), undefined)(async () => fakeReply(200))(seen);
    expect(seen.headers.slice(-4)).toEqual(['x-c', '1,2', 'x-c', 'b']);
  });

  it('leaves literal values alone', async () => {
    const seen = call();
    await headerLayer({ set: { 'x-c': '%REQ(x-a)%' }, add: {}, remove: [] }, undefined)(async () => fakeReply(200))(seen);
    expect(seen.headers.slice(-2)).toEqual(['x-c', '%REQ(x-a)%']);
  });
});
