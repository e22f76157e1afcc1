import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { MeshInput } from '../../src/model/input.ts';
import { drawRuns, type Pathology, runTrial, type Trial, type TrialOptions } from '../../src/testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'inmesh-trial-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const FOUR: MeshInput = {
  services: { target: { endpoints: ['a:1', 'b:1', 'c:1', 'd:1'], timeout: '1s', retries: { perTryTimeout: '300ms' } } },
};
const SHORT = { config: FOUR, durationMs: 20_000, rps: 200, clients: 4 } as const;

const trial = (more: Partial<TrialOptions> & Pick<TrialOptions, 'pathology'>): Promise<Trial> => runTrial({ ...SHORT, ...more });

describe('a trial', () => {
  it('gives the same for the same seed, byte for byte, and another for another; the picture too', async () => {
    const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => trial({ pathology: 'rolling-deploy', seed })));
    expect(JSON.stringify(same)).toBe(JSON.stringify(one));
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(one));
    const svg = ({ inmesh: { series } }: Trial): string => drawRuns({ title: 'x', runs: [{ name: 'inmesh', series }] });
    expect(svg(same as Trial)).toBe(svg(one as Trial));
    expect(svg(other as Trial)).not.toBe(svg(one as Trial));
  });

  it('compares with a good day and with no policies', async () => {
    const { inmesh, plain, healthy, comparedWithPlain, fromMs, untilMs, title, pathology, service } = await trial({
      pathology: 'sinkhole',
    });
    expect({ pathology, service, title, fromMs, untilMs }).toEqual({
      pathology: 'sinkhole',
      service: 'target',
      title: 'one endpoint answers 503 at once',
      fromMs: 5_000,
      untilMs: 10_000,
    });
    expect([healthy.verdict, inmesh.verdict, plain.verdict, comparedWithPlain]).toEqual(['unharmed', 'unharmed', 'hurt', 'better']);
    expect(plain.goodput).toBeCloseTo(0.75, 1);
    expect(plain.worstShare).toBeCloseTo(0.25, 1);
    expect(inmesh.worstShare).toBeLessThan(0.05);
    expect(inmesh.goodRps).toBeCloseTo((inmesh.calls * inmesh.goodput) / 5, 9);
    expect(inmesh.series.calls).toHaveLength(20);
    expect([healthy.goodput, healthy.recoveryMs, healthy.worstShare]).toEqual([1, 0, null]);
  });

  it('of a good day is the good day', async () => {
    const { inmesh, healthy, comparedWithPlain } = await trial({ pathology: 'healthy' });
    expect(inmesh).toEqual(healthy);
    expect(comparedWithPlain).toBe('same');
  });

  it('sizes the servers by the load, so that a spike is a spike', async () => {
    for (const rps of [40, 400]) {
      const { healthy } = await trial({ pathology: 'healthy', rps });
      expect(healthy.p99Ms).toBeLessThan(110);
      const overloaded = await trial({ pathology: 'load-spike', rps });
      expect(overloaded.plain.p99Ms).toBeGreaterThan(2 * healthy.p99Ms);
    }
  });

  it('replaces endpoints: the old one is gone, clients learn of the new one late', async () => {
    const replaced = (lagMs: number): Pathology => ({
      title: 'one is replaced',
      plan: ({ endpoints, fromMs }) => ({ replaced: endpoints.slice(0, 1).map(({ address }) => ({ atMs: fromMs, address, lagMs })) }),
    });
    const [soon, never] = [await trial({ pathology: replaced(0) }), await trial({ pathology: replaced(1e6) })];
    expect(soon.plain.goodput).toBeGreaterThan(0.99);
    expect(never.plain.goodput).toBeCloseTo(0.75, 1);
    expect([soon.plain.recoveryMs, never.plain.recoveryMs]).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(never.inmesh.goodput).toBeGreaterThan(0.99);
  });

  it('takes pathologies of your own', async () => {
    const own: Pathology = {
      title: 'all but one are gone',
      plan: ({ endpoints, fromMs, untilMs }) => {
        const sick = endpoints.slice(1).map(({ address }) => address);
        return { faults: [{ fromMs, untilMs, endpoints: sick, is: 'refuse' }], sick };
      },
    };
    const { pathology, title, plain } = await trial({ pathology: own });
    expect([pathology, title]).toEqual(['own', 'all but one are gone']);
    expect(plain.goodput).toBeCloseTo(0.25, 1);
  });
});

describe('the configuration of a trial', () => {
  it('is read from files, with the endpoints that its files name', async () => {
    file('list.yaml', '- { address: "l1:80", locality: r/a }\n- { address: "l2:80", locality: r/b }\n');
    const config = file(
      'mesh.yaml',
      'services:\n  a: { dns: "${HOST}:80", timeout: 1s }\n  b: { endpointsFile: list.yaml, timeout: 1s }\n',
    );
    const env = { HOST: 'a.internal' };
    const files = await trial({ config, env, service: 'b', pathology: 'zone-loss' });
    expect(files.plain.worstShare).toBeCloseTo(0.5, 1);
    const names = await trial({ config, env, behindNames: 5, pathology: 'black-hole' });
    expect(names.service).toBe('a');
    expect(names.plain.worstShare).toBeCloseTo(0.2, 1);
  });

  it('keeps its routes: who gets no call is not taken for sick', async () => {
    const endpoints = ['v1', 'v2'].flatMap((version) => [1, 2].map((i) => ({ address: `${version}-${i}:80`, labels: { version } })));
    const config: MeshInput = { services: { a: { endpoints, subsets: { v2: { version: 'v2' } }, routes: [{ to: 'v2' }], timeout: '1s' } } };
    const { plain, inmesh } = await trial({ config, pathology: 'black-hole' });
    expect(plain.worstShare).toBeCloseTo(0.5, 1);
    expect(inmesh.goodput).toBeGreaterThan(plain.goodput);
  });

  it('keeps what is sticky, and draws users for it', async () => {
    const endpoints = ['v1', 'v2'].map((version) => ({ address: `${version}:80`, labels: { version } }));
    const routes = [{ to: { v1: 50, v2: 50 }, sticky: { header: 'user' } }];
    const subsets = { v1: { version: 'v1' }, v2: { version: 'v2' } };
    const { plain } = await trial({ config: { services: { a: { endpoints, subsets, routes, timeout: '1s' } } }, pathology: 'sinkhole' });
    expect(plain.worstShare).toBeGreaterThan(0.4);
    expect(plain.worstShare).toBeLessThan(0.6);
  });

  it.each<[string, Partial<TrialOptions>, RegExp]>([
    ['a faulty configuration', { config: { services: { a: { endpoints: ['a:1'], timeout: 'soon' } } } }, /timeout/],
    ['no service', { config: {} }, /no service of the configuration has endpoints/],
    ['a service that is not there', { service: 'nobody' }, /there is no service "nobody" in the configuration/],
    [
      'a service that nobody answers for',
      { config: { services: { a: { endpoints: [] } } }, service: 'a' },
      /no call to service "a" reaches an endpoint/,
    ],
    ['too few endpoints', { config: { services: { a: { endpoints: ['a:1'] } } } }, /slow-replica needs 2 endpoints/],
    ['too short a time', { durationMs: 5_000 }, /a trial takes at least 20000 ms/],
    ['a file that is missing', { config: join(folder, 'nope.yaml') }, /cannot read/],
  ])('%s is refused', async (_, more, message) => {
    await expect(trial({ pathology: 'slow-replica', ...more })).rejects.toThrow(message);
  });

  it('with documents of a mesh is run by them', async () => {
    const config = file(
      'foreign.yaml',
      `services: { a: { endpoints: ['a:80', 'b:80'] } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [a], http: [{ timeout: 1s, retries: { attempts: 1, retryOn: 5xx }, route: [{ destination: { host: a } }] }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 3, interval: 1s, maxEjectionPercent: 50 } } }
`,
    );
    const { inmesh, plain, service } = await trial({ config, pathology: 'sinkhole' });
    expect(service).toBe('a');
    // What is ejected gets nothing: only the documents say so.
    expect(plain.worstShare).toBeGreaterThan(0.4);
    expect(inmesh.worstShare).toBeLessThan(0.2);
    expect(inmesh.goodput).toBeGreaterThan(plain.goodput);
  });
});
