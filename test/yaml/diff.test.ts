// Two configurations by meaning: what is the same however it is written, and what is not.
import { describe, expect, it } from 'vitest';
import type { MeshInput, RouteInput, ServiceInput } from '../../src/model/input.ts';
import { diffConfigs } from '../../src/yaml/diff.ts';
import { contradicts, isAnnounced, type Loss } from '../../src/yaml/losses.ts';
import { withDifferences } from '../../src/yaml/read-back.ts';
import { type Written, writtenConfig } from './export/written.ts';

const ENDPOINTS = [
  { address: '10.0.0.1:80', labels: { version: 'v1' } },
  { address: '10.0.0.2:80', labels: { version: 'v2' } },
];
const BASE: ServiceInput = {
  endpoints: ENDPOINTS,
  subsets: { v1: { version: 'v1' }, v2: { version: 'v2' } },
};

function load(service: ServiceInput, more: MeshInput = {}): Written {
  const written = writtenConfig({ ...more, services: { a: { ...BASE, ...service }, b: { endpoints: ['10.0.0.9:80'] } } });
  if (written === null) throw new Error('it makes no sense');
  return written;
}

const pathsOf = (a: Written, b: Written): string[] => diffConfigs(a, b).map(({ path }) => path);
const routes = (...list: readonly RouteInput[]): ServiceInput => ({ routes: list });

const A: RouteInput = { name: 'a', match: { path: '/a' }, to: 'v1' };
const B: RouteInput = { name: 'b', match: { path: '/b' }, to: 'v2' };
const GET: RouteInput = { name: 'get', match: { method: 'GET' }, to: 'v2' };

describe('the same', () => {
  it.each<[string, ServiceInput, ServiceInput]>([
    ['weights of the same shares', routes({ name: 'c', to: { v1: 90, v2: 10 } }), routes({ name: 'c', to: { v1: 9, v2: 1 } })],
    ['a share that nobody gets', routes({ name: 'c', to: { v1: 1, v2: 0 } }), routes({ name: 'c', to: 'v1' })],
    ['rules in any order, where no call could mean both', routes(A, B), routes(B, A)],
    ['rules that are never asked', routes({ name: 'all', to: 'v1' }), routes({ name: 'all', to: 'v1' }, A)],
    ['endpoints in any order', {}, { endpoints: ENDPOINTS.toReversed() }],
    ['a year and no limit', { timeout: '8760h' }, { timeout: '8760h' }],
    [
      'one rule with two matches, or two that do the same',
      routes({ to: 'v1', match: [{ path: '/a' }, { path: '/b' }] }),
      routes({ match: { path: '/a' }, to: 'v1' }, { match: { path: '/b' }, to: 'v1' }),
    ],
  ])('%s', (_name, one, other) => {
    expect(pathsOf(load(one), load(other))).toEqual([]);
  });
});

describe('not the same', () => {
  it.each<[string, ServiceInput, ServiceInput, string[]]>([
    ['a time', { timeout: '2s' }, { timeout: '3s' }, ['services.a.routes[default].timeout']],
    [
      'shares',
      routes({ name: 'c', to: { v1: 9, v2: 1 } }),
      routes({ name: 'c', to: { v1: 8, v2: 2 } }),
      ['services.a.routes[c].to.v1', 'x'],
    ],
    ['a match', routes(A), routes({ ...A, match: { path: '/z' } }), ['services.a.routes[a].match']],
    ['a rule', routes(A, B), routes(A), ['services.a.routes[b]']],
    ['who is asked first', routes(A, GET), routes(GET, A), ['services.a.routes[a].order']],
    [
      'an endpoint',
      {},
      { endpoints: ENDPOINTS.map((one) => ({ ...one, weight: one.address === '10.0.0.1:80' ? 2 : 1 })) },
      ['services.a.endpoints[10.0.0.1:80].weight'],
    ],
    ['a limit', { limits: { maxRequests: 5 } }, {}, ['services.a.limits.maxRequests']],
    ['a label of a subset', {}, { subsets: { v1: { version: 'v2' }, v2: { version: 'v2' } } }, ['services.a.subsets.v1.version']],
  ])('%s', (_name, one, other, wanted) => {
    const found = pathsOf(load(one), load(other)).map((path) => path.replaceAll('a/v', 'v'));
    expect(found.length).toBe(wanted.length);
    expect(found[0]).toBe(wanted[0]);
  });

  it('names both places, and what holds for all', () => {
    const [difference] = diffConfigs(load({}, { unknownHosts: 'refuse' }), load({}));
    expect(difference).toMatchObject({ path: 'unknownHosts', from: 'refuse', to: 'pass', fromAt: { file: 'input.yaml' } });
    expect(difference?.toAt).toBeUndefined();
  });

  it('is a service that only one has', () => {
    const whole = load({});
    const { b: _b, ...services } = whole.config.services;
    expect(pathsOf(whole, { ...whole, config: { ...whole.config, services } })).toEqual(['services.b']);
  });
});

const loss = (field: string, verdict: Loss['verdict'], also: readonly string[] = []): Loss => ({
  field,
  verdict,
  also,
  from: '',
  to: '',
  why: '',
});

describe('a loss report', () => {
  it.each<[string, readonly Loss[], boolean]>([
    ['services.a.routes[c].timeout', [loss('services.a.routes[c].timeout', 'lost')], true],
    ['services.a.routes[c].timeout', [loss('services.a.routes[c]', 'approximated')], true],
    ['services.a.routes[c].timeout', [loss('x', 'lost', ['services.a.routes[c].timeout'])], true],
    ['services.a.routes[c].timeout', [], false],
    ['services.a.routes[c].timeout', [loss('services.a.routes[c].timeout', 'kept')], false],
    ['services.a.routes[c].timeout', [loss('services.a', 'approximated'), loss('services.a.routes[c].timeout', 'kept')], false],
    ['services.a.routes[c].timeouts', [loss('services.a.routes[c].timeout', 'lost')], false],
    ['services.a.routes[c].match', [loss('services.a.routes', 'approximated'), loss('services.a.routes[c].match', 'kept')], true],
    ['services.a.routes[c]', ['name', 'match', 'to'].map((key) => loss(`services.a.routes[c].${key}`, 'lost')), true],
    ['services.a.routes[c]', [loss('services.a.routes[c].name', 'lost')], false],
  ])('%s after %o: %s', (path, losses, wanted) => {
    expect(isAnnounced(path, losses)).toBe(wanted);
  });

  it('does not say that it was kept what differs', () => {
    const [before, after] = [load({ limits: { maxRequests: 5 } }), load({})];
    const said = [loss('services.a.limits.maxRequests', 'kept'), loss('services.a.endpoints', 'kept')];
    expect(contradicts('services.a.limits.maxRequests', said[0] as Loss)).toBe(true);
    expect(withDifferences(before, after.config, said).map(({ field, verdict, why }) => [field, verdict, why])).toEqual([
      ['services.a.endpoints', 'kept', ''],
      ['services.a.limits.maxRequests', 'approximated', 'reads back otherwise'],
    ]);
  });
});
