// What the tasks of Istio's documentation show of a mesh, over real sockets: faults, timeouts, mirroring, circuit breaking,
// ejection. Documents as one would apply them; only the numbers are those of a test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { echoServer } from '../../support/echo-server.ts';
import { idle } from '../../transport/real-wire.ts';
import { countingServer } from '../counting-server.ts';
import { answersOf, REVIEWS_URL, sigmas, Site, SUBSETS, versions } from './acceptance-mesh.ts';

const site = new Site();
afterEach(() => site.close());

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-task-'));
  site.onClose(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'istio.yaml');
  writeFileSync(path, text);
  return path;
}

const virtualService = (http: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: reviews }\nspec:\n  hosts: [reviews]\n  http:\n${http}`;
const destinationRule = (policy: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: reviews }\nspec:\n  host: reviews\n  trafficPolicy:\n${policy}`;

describe('tasks of Istio', () => {
  it('fault injection: aborts within 3 sigma, none of them reaches the server', async () => {
    const v1 = await site.server(countingServer('v1'));
    const http = `    - fault: { abort: { httpStatus: 555, percentage: { value: 40 } } }
      route: [{ destination: { host: reviews } }]`;
    const { mesh } = await site.mesh([file(virtualService(http))], { services: { reviews: { endpoints: [v1.address] } } });
    const answers = await answersOf(mesh, REVIEWS_URL, 1_000);
    expect([...answers.keys()].sort()).toEqual(['555', 'v1']);
    expect(sigmas(answers, '555', 0.4)).toBeLessThan(3);
    expect(v1.requests()).toBe(answers.get('v1'));
  });

  it('a delay for one user alone, which no timeout counts', async () => {
    const v1 = await site.server(countingServer('v1'));
    const http = `    - match: [{ headers: { end-user: { exact: jason } } }]
      fault: { delay: { fixedDelay: 120ms, percentage: { value: 100 } } }
      timeout: 100ms
      route: [{ destination: { host: reviews } }]
    - route: [{ destination: { host: reviews } }]`;
    const { mesh } = await site.mesh([file(virtualService(http))], { services: { reviews: { endpoints: [v1.address] } } });
    const start = performance.now();
    const slow = await mesh.fetch(REVIEWS_URL, { headers: { 'end-user': 'jason' } });
    expect([slow.status, performance.now() - start >= 118]).toEqual([200, true]);
  });

  it('request timeouts: 504 after the time of the rule, retries included', async () => {
    const server = await site.server(echoServer());
    server.handle = () => {};
    const http = `    - timeout: 400ms
      retries: { attempts: 3, perTryTimeout: 60ms, retryOn: '5xx' }
      route: [{ destination: { host: reviews } }]`;
    const concise = { failures: 'respond', services: { reviews: { endpoints: [server.address] } } };
    const { mesh } = await site.mesh([file(virtualService(http))], concise);
    const start = performance.now();
    expect((await mesh.fetch(REVIEWS_URL)).status).toBe(504);
    expect(performance.now() - start).toBeGreaterThan(200);
    expect(server.seen.length).toBeGreaterThanOrEqual(2);
  });

  it('mirroring: every call answered by v1, every copy at v2 under the name with -shadow', async () => {
    const [v1, v2] = [await site.server(echoServer('v1')), await site.server(echoServer('v2'))];
    const http = `    - route: [{ destination: { host: reviews, subset: v1 } }]
      mirror: { host: reviews, subset: v2 }
      mirrorPercentage: { value: 100 }`;
    const services = { reviews: { endpoints: versions({ v1, v2 }), subsets: SUBSETS } };
    const { mesh } = await site.mesh([file(virtualService(http))], { services });
    for (let i = 0; i < 20; i++) {
      const answer = await mesh.fetch(REVIEWS_URL, { method: 'POST', body: `body ${i}` });
      expect((await answer.json()) as object).toMatchObject({ name: 'v1' });
    }
    while (v2.seen.length < 20) await idle();
    expect(v1.seen.length).toBe(20);
    expect(v2.seen.map(({ body }) => body).sort()).toEqual(v1.seen.map(({ body }) => body).sort());
    expect(new Set(v2.seen.map(({ headers }) => headers.host))).toEqual(new Set(['reviews-shadow']));
  });

  it('circuit breaking: one connection, one that waits; of many at once two are answered, the others 503', async () => {
    const v1 = await site.server(countingServer('v1'));
    const policy = `    connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1, maxRequestsPerConnection: 1 } }`;
    const concise = { failures: 'respond', services: { reviews: { endpoints: [v1.address] } } };
    const { mesh } = await site.mesh([file(destinationRule(policy))], concise);
    v1.hold();
    const calls = [mesh.fetch(REVIEWS_URL)];
    while (v1.held() < 1) await idle();
    calls.push(...Array.from({ length: 9 }, () => mesh.fetch(REVIEWS_URL)));
    await idle();
    v1.release();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect([statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 503).length]).toEqual([2, 8]);
    expect([v1.requests(), v1.mostSockets(), v1.mostRequestsPerSocket()]).toEqual([2, 1, 1]);
  });

  it('outlier detection: after five errors in a row an endpoint gets nothing more', async () => {
    const [sick, well] = [await site.server(echoServer('sick')), await site.server(countingServer('well'))];
    sick.handle = (_seen, response) => response.writeHead(503).end();
    const policy = `    loadBalancer: { simple: ROUND_ROBIN }
    outlierDetection: { consecutive5xxErrors: 5, interval: 30s, baseEjectionTime: 30s, maxEjectionPercent: 50 }`;
    const none = virtualService('    - retries: { attempts: 0 }\n      route: [{ destination: { host: reviews } }]');
    const services = { reviews: { endpoints: [sick.address, well.address] } };
    const { mesh } = await site.mesh([file(`${destinationRule(policy)}\n---\n${none}\n`)], { services });
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) {
      const answer = await mesh.fetch(REVIEWS_URL);
      await answer.text();
      statuses.push(answer.status);
    }
    expect(statuses.filter((status) => status === 503).length).toBe(5);
    expect([sick.seen.length, statuses.slice(10).every((status) => status === 200)]).toEqual([5, true]);
  });
});
