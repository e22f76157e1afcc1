// reviews-canary-mobile.yaml over real sockets: the limits of its connection pool. Its shares: describe-shares.ts.
import { afterEach, describe, expect, it } from 'vitest';
import { idle } from '../../transport/real-wire.ts';
import type { Mesh } from '../../../src/mesh/mesh.ts';
import type { CountingServer } from '../counting-server.ts';
import { answersOf, HAS_ACCEPTANCE, MOBILE, reviews, REVIEWS_URL, Site, SKIPPED } from './acceptance-mesh.ts';

const SOCKETS = 100;
const PENDING = 50;

const site = new Site();
afterEach(() => site.close());

/** As many calls as may be under way and wait. In two steps: a call whose socket is being made waits, too. */
async function fill(mesh: Mesh, servers: readonly CountingServer[], headers: Record<string, string>): Promise<Promise<Response>[]> {
  const calls: Promise<Response>[] = [];
  const held = (): number => servers.reduce((sum, server) => sum + server.held(), 0);
  for (const server of servers) server.hold();
  while (calls.length < SOCKETS + PENDING) {
    calls.push(...Array.from({ length: PENDING }, () => mesh.fetch(REVIEWS_URL, { headers })));
    while (held() < Math.min(calls.length, SOCKETS)) await idle();
  }
  return calls;
}

if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});

describe.runIf(HAS_ACCEPTANCE)('reviews-canary-mobile.yaml', () => {
  it.each([
    ['of v2 alone', MOBILE],
    ['of both', {}],
  ])('100 sockets %s, 50 calls wait, the 51st is refused, and all others are answered', async (_, headers) => {
    const { mesh, v1, v2 } = await reviews(site);
    const both = [v1, v2];
    const calls = await fill(mesh, both, headers);
    for (let i = 0; i < 3; i++) await expect(mesh.fetch(REVIEWS_URL, { headers })).rejects.toMatchObject({ code: 'overloaded' });
    await idle();
    expect([v1.held() + v2.held(), v1.openSockets() + v2.openSockets()]).toEqual([SOCKETS, SOCKETS]);
    for (const server of both) server.release();
    const answers = await Promise.all(calls);
    for (const answer of answers) expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
    expect(v1.requests() + v2.requests()).toBe(SOCKETS + PENDING);
    // Nothing is left behind.
    expect((await answersOf(mesh, REVIEWS_URL, SOCKETS + PENDING, headers)).size).toBe(headers === MOBILE ? 1 : 2);
  });

  it('the refusal is that of a sidecar where the caller wants answers', async () => {
    const { mesh, v2 } = await reviews(site, { failures: 'respond' });
    const calls = await fill(mesh, [v2], MOBILE);
    const refused = await mesh.fetch(REVIEWS_URL, { headers: MOBILE });
    expect([refused.status, refused.headers.get('x-envoy-overloaded')]).toEqual([503, 'true']);
    v2.release();
    await Promise.all(calls);
  });
});
