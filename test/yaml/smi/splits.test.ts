// TrafficSplits: shares, ports, and what becomes of the calls that they do not take.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeshConfig, RouteConfig } from '../../../src/model/config.ts';
import { goodText, loadText } from '../istio/load-text.ts';

function split(backends: readonly (readonly [name: string, weight: string | number])[], version = 'v1alpha4'): string {
  const listed = backends.map(([name, weight]) => `{ service: ${name}, weight: ${weight} }`).join(', ');
  return `
apiVersion: split.smi-spec.io/${version}
kind: TrafficSplit
metadata: { name: s }
spec: { service: root, backends: [${listed}] }
`;
}

function service(name: string, ports: readonly number[]): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [${ports.map((port) => `{ name: p${port}, port: ${port} }`).join(', ')}] }
`;
}

function concise(...names: readonly string[]): string {
  return `services:\n${names.map((name, i) => `  ${name}: { endpoints: [10.0.0.${i + 1}:80] }\n`).join('')}`;
}

/** Shares of the one rule, by service. */
function shares({ targets }: RouteConfig): [service: string, share: number][] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return targets.map(({ service: name, weight }) => [name, weight / total]);
}

function rootOf({ services }: MeshConfig): readonly RouteConfig[] {
  return services.root?.routes ?? [];
}

describe('weights', () => {
  it('share as their sizes say, numbers or quantities, in every version', async () => {
    const weight = fc.nat(1_000);
    await fc.assert(
      fc.asyncProperty(fc.tuple(weight, weight), fc.boolean(), fc.integer({ min: 1, max: 4 }), async ([a, b], isQuantity, version) => {
        const suffix = isQuantity ? 'm' : '';
        const text = split(
          [
            ['a', `${a}${suffix}`],
            ['b', `${b}${suffix}`],
          ],
          `v1alpha${version}`,
        );
        const { config, issues } = await loadText(`${concise('root', 'a', 'b')}---${text}`);
        const [rule] = config === null ? [] : rootOf(config);
        const expected: [string, number][] = [];
        if (a > 0) expected.push(['a', a / (a + b)]);
        if (b > 0) expected.push(['b', b / (a + b)]);
        if (a + b === 0) expect(rule?.name).toBe('root');
        else {
          const found = rule === undefined ? [] : shares(rule);
          expect(found.map(([name]) => name)).toEqual(expected.map(([name]) => name));
          for (const [i, [, share]] of found.entries()) expect(share).toBeCloseTo(expected[i]?.[1] ?? -1, 12);
        }
        const odd = issues.filter(({ code }) => code === 'INM0015').length;
        expect(odd).toBe(isQuantity && version > 1 ? 2 : 0);
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 30_000);

  it.each([
    ['v1alpha1', '500m', 1, 1 / 3],
    ['v1alpha4', '500m', 1, 1 / 3],
    ['v1alpha4', '0.5', 1, 1 / 3],
    ['v1alpha4', '1k', 1000, 1 / 2],
  ])('%s: %s beside %s', async (version, a, b, share) => {
    const config = await goodText(
      `${concise('root', 'a', 'b')}---${split(
        [
          ['a', a],
          ['b', b],
        ],
        version,
      )}`,
    );
    const [rule] = rootOf(config);
    expect(rule === undefined ? [] : shares(rule)[0]?.[1]).toBeCloseTo(share, 12);
  });

  it.each(['-1', 'x', '50%', '1 m', ''])('%j is none', async (weight) => {
    const { config, issues } = await loadText(`${concise('root', 'a')}---${split([['a', JSON.stringify(weight)]])}`);
    expect(config).toBeNull();
    expect(issues[0]?.position).toMatchObject({ line: 8 });
  });
});

describe('ports', () => {
  it('a backend takes the calls of the ports that it has', async () => {
    const ports = fc.uniqueArray(fc.constantFrom(80, 81, 82), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(ports, ports, ports, async (root, a, b) => {
        const text = [
          service('root', root),
          service('a', a),
          service('b', b),
          split([
            ['a', 1],
            ['b', 1],
          ]),
        ].join('---');
        const { services } = await goodText(text);
        for (const port of root) {
          const host = `root.default.svc.cluster.local:${port}`;
          const found = Object.values(services).find(({ hosts }) => hosts.includes(host));
          const [rule, ...more] = found?.routes ?? [];
          const has = [a, b].map((own) => own.includes(port));
          expect([more.length, rule?.dialect]).toEqual([0, 'smi']);
          if (has.includes(true)) {
            expect(rule?.targets.map(({ fails }) => fails)).toEqual(has.filter(Boolean).map(() => undefined));
            const names = rule?.targets.map((target) => services[target.service]?.hosts.find((one) => one.includes('svc.cluster'))) ?? [];
            expect(names.map((name) => name?.charAt(0))).toEqual(['a', 'b'].filter((_, i) => has[i]));
            for (const name of names) expect(name).toMatch(new RegExp(`:${port}$|cluster.local$`));
          } else expect(rule?.targets.map(({ fails }) => fails?.status)).toEqual([503]);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 30_000);
});

describe('a split', () => {
  it('says nothing about time and retries, so these stay as they are', async () => {
    const text = `services:\n  root: { endpoints: [10.0.0.1:80], timeout: 3s, retries: { attempts: 4 } }\n  a: { endpoints: [10.0.0.2:80] }\n`;
    const config = await goodText(`${text}---${split([['a', 1]])}`);
    expect(rootOf(config)[0]).not.toHaveProperty('timeoutMs');
    expect([config.services.root?.timeoutMs, config.services.root?.retries.attempts]).toEqual([3_000, 4]);
  });

  it('of which the root is a backend gives it its share', async () => {
    const { config, issues } = await loadText(
      `${concise('root', 'a')}---${split([
        ['root', 1],
        ['a', 3],
      ])}`,
    );
    const [rule] = config === null ? [] : rootOf(config);
    expect(rule === undefined ? [] : shares(rule)).toEqual([
      ['root', 0.25],
      ['a', 0.75],
    ]);
    expect(issues.map(({ message }) => message)).toEqual([expect.stringContaining('root is a backend of itself')]);
  });
});
