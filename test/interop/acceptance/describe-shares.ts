// What the documents that divide calls must show over real sockets, with as many calls as the form of the test has time for.
import { afterEach, describe, expect, it } from 'vitest';
import { countingServer } from '../counting-server.ts';
import {
  acceptanceFile,
  answersOf,
  HAS_ACCEPTANCE,
  MOBILE,
  reviews,
  REVIEWS_URL,
  sigmas,
  Site,
  SKIPPED,
  SUBSETS,
  versions,
} from './acceptance-mesh.ts';

async function two(site: Site): Promise<Parameters<typeof versions>[0]> {
  return { v1: await site.server(countingServer('v1')), v2: await site.server(countingServer('v2')) };
}

export function describeShares(calls: number): void {
  if (!HAS_ACCEPTANCE) it.skip(SKIPPED, () => {});
  describe.runIf(HAS_ACCEPTANCE)(`acceptance inputs, ${calls} calls each over real sockets`, () => {
    const site = new Site();
    afterEach(() => site.close());

    it('reviews-canary-mobile.yaml: mobile to v2, the others 80/20; a socket carries at most two', async () => {
      const { mesh, v1, v2, warnings } = await reviews(site);
      expect(warnings).toBe('');
      expect(await answersOf(mesh, REVIEWS_URL, calls / 4, MOBILE)).toEqual(new Map([['v2', calls / 4]]));
      const rest = await answersOf(mesh, REVIEWS_URL, calls);
      expect([...rest.keys()].sort()).toEqual(['v1', 'v2']);
      expect(sigmas(rest, 'v1', 0.8)).toBeLessThan(3);
      expect(v1.requests() + v2.requests()).toBe(calls * 1.25);
      expect([v1.mostRequestsPerSocket(), v2.mostRequestsPerSocket()]).toEqual([2, 2]);
    });

    it('reviews-progressive.yaml: insiders to v2, the others 95/5', async () => {
      const services = { reviews: { endpoints: versions(await two(site)), subsets: SUBSETS } };
      const { mesh, warnings } = await site.mesh([acceptanceFile('reviews-progressive.yaml')], { services });
      expect(warnings).toBe('');
      expect(await answersOf(mesh, 'http://reviews/', 500, { 'user-type': 'internal' })).toEqual(new Map([['v2', 500]]));
      const rest = await answersOf(mesh, 'http://reviews/', calls, { 'user-type': 'Internal' });
      expect(sigmas(rest, 'v2', 0.05)).toBeLessThan(3);
      expect(sigmas(rest, 'v2', 0.1)).toBeGreaterThan(3);
    });

    it('my-app-split.yaml: 90/10', async () => {
      const services = { 'my-app': { endpoints: versions(await two(site)), subsets: SUBSETS } };
      const { mesh, warnings } = await site.mesh([acceptanceFile('my-app-split.yaml')], { services });
      expect(warnings).toBe('');
      const answers = await answersOf(mesh, 'http://my-app/', calls);
      expect([...answers.keys()].sort()).toEqual(['v1', 'v2']);
      expect(sigmas(answers, 'v2', 0.1)).toBeLessThan(3);
    });

    it('my-app-smi.yaml: 90/10, and a word about the quantities', async () => {
      const { v1, v2 } = await two(site);
      const services = Object.fromEntries(
        [
          ['my-app', v1],
          ['my-app-v1', v1],
          ['my-app-v2', v2],
        ].map(([name, server]) => [name, { endpoints: [(server as { address: string }).address] }]),
      );
      const { mesh, warnings } = await site.mesh([acceptanceFile('my-app-smi.yaml')], { services });
      expect(warnings).toMatch(/my-app-smi\.yaml:10:\d+.*90m/s);
      expect(warnings).toMatch(/my-app-smi\.yaml:12:\d+.*10m/s);
      const answers = await answersOf(mesh, 'http://my-app/', calls);
      expect(sigmas(answers, 'v2', 0.1)).toBeLessThan(3);
    });
  });
}
