import { describe, expect, it } from 'vitest';
import type { RewritePolicy } from '../../src/model/traffic.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { rewriteLayer } from '../../src/route/rewrite-layer.ts';
import { pair, testCall } from '../support/fake-service.ts';

const { replacer } = await loadRegex();

function sent(policy: RewritePolicy, init: Parameters<typeof testCall>[0]) {
  const [leaf, server] = pair();
  void rewriteLayer(policy, { replacer })(leaf)(testCall(init));
  const call = server.seen[0]?.call;
  return { authority: call?.authority, path: call?.path, headers: call?.headers };
}

describe('rewriteLayer', () => {
  it('changes the path, and says what it was', () => {
    const policy: RewritePolicy = { path: { kind: 'prefix', prefix: '/ratings', value: '/v1/bookRatings', by: 'text' } };
    expect(sent(policy, { path: '/ratings/7?full=1', headers: ['accept', '*/*'] })).toEqual({
      authority: 'reviews',
      path: '/v1/bookRatings/7?full=1',
      headers: ['accept', '*/*', 'x-envoy-original-path', '/ratings/7?full=1'],
    });
  });

  it('believes no caller who says what the path was', () => {
    const headers = ['X-Envoy-Original-Path', '/admin', 'a', 'b', 'x-envoy-original-path', '/admin'];
    const { headers: out } = sent({ path: { kind: 'full', value: '/x' } }, { path: '/y', headers });
    expect(out).toEqual(['a', 'b', 'x-envoy-original-path', '/y']);
    expect(headers).toHaveLength(6);
  });

  it('changes the host alone', () => {
    expect(sent({ authority: 'ratings.example:8080' }, { path: '/a?b', headers: ['a', 'b'] })).toEqual({
      authority: 'ratings.example:8080',
      path: '/a?b',
      headers: ['a', 'b'],
    });
  });

  it('changes both, for every attempt', () => {
    const [leaf, server] = pair();
    const policy: RewritePolicy = { path: { kind: 'regex', pattern: '^/v(\\d)', substitution: '/\\1' }, authority: 'one' };
    const service = rewriteLayer(policy, { replacer })((call) => leaf(call.fork(1, 0)));
    void service(testCall({ path: '/v7/x' }));
    expect(server.seen[0]?.call).toMatchObject({ authority: 'one', path: '/7/x', headers: ['x-envoy-original-path', '/v7/x'] });
  });

  it('passes the answer through untouched', async () => {
    const [leaf, server] = pair();
    const answered = rewriteLayer({ authority: 'x' }, { replacer })(leaf)(testCall());
    const reply = (await server.next()).reply(200);
    expect(await answered).toBe(reply);
  });
});
