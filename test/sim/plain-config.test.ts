import { describe, expect, it } from 'vitest';
import { keyHeaders } from '../../src/sim/key-headers.ts';
import { plainConfig } from '../../src/sim/plain-config.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import type { MeshConfig } from '../../src/model/config.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { seededRandom } from '../../src/testing.ts';

const INPUT: MeshInput = {
  self: { locality: 'r/a' },
  failures: 'respond',
  defaults: { timeout: '3s', retries: { attempts: 5 }, limits: { maxRequests: 7 } },
  services: {
    a: {
      hosts: ['a.internal'],
      endpoints: [{ address: 'a:80', labels: { version: 'v1' } }],
      subsets: { v1: { version: 'v1' } },
      timeout: '2s',
      retries: { attempts: 1 },
      circuitBreaker: { consecutive: 2 },
      loadBalancer: 'random',
      routes: [{ name: 'one', match: { path: '/x' }, to: 'v1', timeout: '1s', retries: { attempts: 4 }, sticky: { cookie: 'session' } }],
    },
    b: { endpoints: ['b:80'] },
  },
};

function resolved(input: MeshInput): MeshConfig {
  const result = resolveConfig(input);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

describe('a plain configuration', () => {
  const { a, b } = plainConfig(resolved(INPUT)).services;

  it('keeps who is there, where calls go and how long they may take', () => {
    const own = resolved(INPUT).services['a'];
    expect([a?.hosts, a?.endpoints, a?.subsets, a?.timeoutMs]).toEqual([own?.hosts, own?.endpoints, own?.subsets, own?.timeoutMs]);
    const kept = a?.routes.map(({ name, matches, targets, timeoutMs, sticky }) => ({ name, matches, targets, timeoutMs, sticky }));
    expect(kept).toEqual(
      own?.routes.map(({ name, matches, targets, timeoutMs, sticky }) => ({ name, matches, targets, timeoutMs, sticky })),
    );
    expect(b?.timeoutMs).toBe(3_000);
    expect(plainConfig(resolved(INPUT))).toMatchObject({ self: { locality: 'r/a' }, failures: 'respond' });
  });

  it('has no policy, wherever it stood', () => {
    for (const service of [a, b]) {
      expect(service).toMatchObject({
        retries: { attempts: 0 },
        circuitBreaker: null,
        outlierDetection: null,
        loadBalancer: { kind: 'roundRobin' },
        limits: { maxRequests: 0 },
      });
      for (const route of service?.routes ?? []) expect(route.retries?.attempts ?? 0).toBe(0);
    }
  });

  it('of nothing is nothing', () => {
    expect(plainConfig(resolved({})).services).toEqual({});
  });
});

describe('the headers that a configuration chooses by', () => {
  it('are drawn from many users', () => {
    const draw = keyHeaders(
      resolved({
        services: {
          a: { endpoints: ['a:80'], routes: [{ sticky: { cookie: 'session' } }, { sticky: { header: 'X-User' } }] },
          b: { endpoints: ['b:80'], routes: [{ sticky: { cookie: 'other' } }] },
        },
      }),
    );
    const random = seededRandom(1);
    const [name, user, cookie, value] = draw?.(random) ?? [];
    expect([name, cookie]).toEqual(['x-user', 'cookie']);
    expect(user).toMatch(/^user-\d{1,3}$/);
    expect(value).toBe(`session=${user}; other=${user}`);
    expect(new Set(Array.from({ length: 500 }, () => draw?.(random)[1])).size).toBeGreaterThan(300);
  });

  it('are none when it looks at none', () => {
    expect(keyHeaders(resolved({ services: { a: { endpoints: ['a:80'] } } }))).toBeUndefined();
  });
});
