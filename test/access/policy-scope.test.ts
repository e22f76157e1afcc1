import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAbout, peerModeOn, policiesFor, type Workload } from '../../src/access/policy-scope.ts';
import type {
  ClientIdentity,
  LabelExpression,
  LinkerdAuthorizationPolicy,
  LinkerdServerPolicy,
  LinkerdTarget,
  PeerAuthenticationPolicy,
  PeerMode,
  SecurityPolicy,
  TrafficTargetPolicy,
  WorkloadScope,
} from '../../src/model/security.ts';

const SELF: Workload = { service: 'reviews', namespace: 'shop', serviceAccount: 'reader', labels: { app: 'reviews', version: 'v1' } };
const SOURCE = { file: 'a.yaml', line: 1, column: 1 };

function scope(more: Partial<WorkloadScope> = {}): WorkloadScope {
  return { namespace: 'shop', labels: {}, expressions: [], ...more };
}

function expression(key: string, operator: LabelExpression['operator'], ...values: string[]): WorkloadScope {
  return scope({ expressions: [{ key, operator, values }] });
}

describe('what a scope is about', () => {
  it.each<[string, WorkloadScope, boolean]>([
    ['its namespace', scope(), true],
    ['every namespace', scope({ namespace: '' }), true],
    ['another namespace', scope({ namespace: 'other' }), false],
    ['labels', scope({ labels: { app: 'reviews', version: 'v1' } }), true],
    ['one label of two', scope({ labels: { app: 'reviews', version: 'v2' } }), false],
    ['a label that nobody has', scope({ labels: { constructor: 'x' } }), false],
    ['its service', scope({ services: ['ratings', 'reviews'] }), true],
    ['other services', scope({ services: ['ratings'] }), false],
    ['no service', scope({ services: [] }), false],
    ['in', expression('app', 'In', 'a', 'reviews'), true],
    ['in others', expression('app', 'In', 'a'), false],
    ['in, of a label that it lacks', expression('tier', 'In', 'a'), false],
    ['not in', expression('app', 'NotIn', 'reviews'), false],
    ['not in others', expression('app', 'NotIn', 'a'), true],
    ['not in, of a label that it lacks', expression('tier', 'NotIn', 'a'), true],
    ['exists', expression('app', 'Exists'), true],
    ['exists not', expression('tier', 'Exists'), false],
    ['must not exist', expression('tier', 'DoesNotExist'), true],
    ['must not exist, and does', expression('app', 'DoesNotExist'), false],
  ])('%s', (_, one, expected) => {
    expect(isAbout(one, SELF)).toBe(expected);
  });
});

type Level = PeerAuthenticationPolicy['level'];

function peer(level: Level, mode: PeerMode, createdAtMs = 0, ports: Record<number, PeerMode> = {}): PeerAuthenticationPolicy {
  const own = scope({ namespace: level === 'mesh' ? '' : 'shop', labels: level === 'workload' ? { app: 'reviews' } : {} });
  const head = { dialect: 'istio' as const, name: `${level}-${createdAtMs}`, namespace: 'shop', createdAtMs, source: SOURCE };
  return { ...head, kind: 'peer-authentication', scope: own, level, mode, ports };
}

describe('which connections are accepted', () => {
  it.each<[string, PeerAuthenticationPolicy[], string, string | null]>([
    ['nobody says it', [], 'permissive', null],
    ['mesh', [peer('mesh', 'strict')], 'strict', 'mesh-0'],
    ['namespace over mesh', [peer('mesh', 'strict'), peer('namespace', 'permissive')], 'permissive', 'namespace-0'],
    ['workload over namespace', [peer('namespace', 'strict'), peer('workload', 'disable')], 'disable', 'workload-0'],
    ['port over workload', [peer('workload', 'strict', 0, { 80: 'disable' })], 'disable', 'workload-0'],
    ['another port', [peer('workload', 'strict', 0, { 81: 'disable' })], 'strict', 'workload-0'],
    [
      'unset takes what is wider',
      [peer('mesh', 'strict'), peer('namespace', 'unset'), peer('workload', 'unset', 0, { 80: 'unset' })],
      'strict',
      'mesh-0',
    ],
    ['the oldest', [peer('namespace', 'disable', 2), peer('namespace', 'strict', 1)], 'strict', 'namespace-1'],
    ['the oldest alone, though it is unset', [peer('namespace', 'disable', 2), peer('namespace', 'unset', 1)], 'permissive', null],
    ['one that Istio never looks at', [peer('none', 'strict')], 'permissive', null],
    ['a port of a namespace, which only workloads have', [peer('namespace', 'strict', 0, { 80: 'disable' })], 'strict', 'namespace-0'],
    ['of another namespace', [{ ...peer('namespace', 'strict'), scope: scope({ namespace: 'other' }) }], 'permissive', null],
  ])('%s', (_, policies, mode, name) => {
    const found = peerModeOn(80, policies, SELF);
    expect([found.mode, found.policy?.name ?? null]).toEqual([mode, name]);
  });

  it('is no matter of policies of another kind', () => {
    const { level, mode, ports } = peer('mesh', 'strict');
    expect(peerModeOn(80, [{ ...server('mine', 'reviews'), level, mode, ports } as SecurityPolicy], SELF).policy).toBeNull();
  });

  it('goes from the mesh inwards, each level over the one before', () => {
    const mode = fc.constantFrom<PeerMode>('unset', 'disable', 'permissive', 'strict');
    const policy = fc
      .tuple(fc.constantFrom<Level>('mesh', 'namespace', 'workload', 'none'), mode, fc.nat(3), fc.option(mode, { nil: undefined }))
      .map(([level, own, age, onPort]) => peer(level, own, age, level === 'workload' && onPort !== undefined ? { 80: onPort } : {}));
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 6 }), (policies) => {
        let expected: PeerMode = 'permissive';
        for (const level of ['mesh', 'namespace', 'workload']) {
          let oldest: PeerAuthenticationPolicy | undefined;
          for (const one of policies) {
            if (one.level === level && (oldest === undefined || one.createdAtMs < oldest.createdAtMs)) oldest = one;
          }
          if (oldest !== undefined && oldest.mode !== 'unset') expected = oldest.mode;
          const onPort = oldest?.ports[80] ?? 'unset';
          if (onPort !== 'unset') expected = onPort;
        }
        expect(peerModeOn(80, policies, SELF).mode).toBe(expected);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});

function server(name: string, app: string, more: Partial<LinkerdServerPolicy> = {}): LinkerdServerPolicy {
  const head = { dialect: 'linkerd' as const, name, namespace: 'shop', createdAtMs: 0, source: SOURCE };
  const rest = { port: 80, protocol: 'unknown', access: 'deny', routes: [], labels: { tier: name } } as const;
  return { ...head, kind: 'linkerd-server', scope: scope({ labels: { app } }), ...rest, ...more };
}

function opening(target: LinkerdTarget, namespace = 'shop'): LinkerdAuthorizationPolicy {
  const head = { dialect: 'linkerd' as const, name: 'opening', namespace, createdAtMs: 0, source: SOURCE };
  return { ...head, kind: 'linkerd-authorization', target, networks: null, clients: null, tls: false, missing: [] };
}

describe("policies of Linkerd's servers", () => {
  const route = { group: 'policy.linkerd.io', route: 'HTTPRoute', name: 'r', hostnames: [], matches: [] } as const;
  const servers = [server('mine', 'reviews', { routes: [route] }), server('second', 'reviews'), server('other', 'ratings')];
  const byLabel = (tier: string): LinkerdTarget => ({ kind: 'servers', scope: scope({ labels: { tier } }) });
  const { group, route: kind } = route;

  it.each<[string, LinkerdAuthorizationPolicy, boolean]>([
    ['its namespace', opening({ kind: 'namespace' }), true],
    ['another namespace', opening({ kind: 'namespace' }, 'other'), false],
    ['its server', opening({ kind: 'server', name: 'mine' }), true],
    ["somebody else's server", opening({ kind: 'server', name: 'other' }), false],
    ['a server of another namespace', opening({ kind: 'server', name: 'mine' }, 'other'), false],
    ['servers by their labels', opening(byLabel('mine')), true],
    ['others by their labels', opening(byLabel('other')), false],
    ['its route', opening({ kind: 'route', group, route: kind, name: 'r' }), true],
    [
      'a route of the same name of another group',
      opening({ kind: 'route', group: 'gateway.networking.k8s.io', route: kind, name: 'r' }),
      false,
    ],
    ['a route of another kind', opening({ kind: 'route', group, route: 'GRPCRoute', name: 'r' }), false],
    ['a route of another name', opening({ kind: 'route', group, route: kind, name: 's' }), false],
    ['one of several servers', opening({ kind: 'server', name: 'second' }), true],
  ])('%s', (_, policy, expected) => {
    expect(policiesFor([...servers, policy], SELF).includes(policy)).toBe(expected);
  });

  it('are those of its own servers', () => {
    expect(policiesFor(servers, SELF)).toEqual(servers.slice(0, 2));
  });

  it.each([
    ['mine', 'shop', true],
    ['other', 'shop', false],
    ['mine', 'other', false],
  ])('limits of %s in %s: %s', (name, namespace, expected) => {
    const head = { dialect: 'linkerd' as const, name: 'limit', namespace, createdAtMs: 0, source: SOURCE };
    const limit: SecurityPolicy = { ...head, kind: 'linkerd-rate-limit', server: name, overrides: [] };
    expect(policiesFor([...servers, limit], SELF).includes(limit)).toBe(expected);
  });
});

describe('destinations of SMI', () => {
  function target(...destinations: readonly ClientIdentity[]): TrafficTargetPolicy {
    const head = { dialect: 'smi' as const, name: 't', namespace: 'shop', createdAtMs: 0, source: SOURCE };
    return { ...head, kind: 'traffic-target', destinations, sources: [], matches: [], anyHttp: true, ports: [] };
  }

  it.each<[ClientIdentity, boolean]>([
    [{ kind: 'service-account', namespace: 'shop', name: 'reader' }, true],
    [{ kind: 'service-account', namespace: 'other', name: 'reader' }, false],
    [{ kind: 'spiffe', value: 'td/ns/shop/sa/reader' }, true],
    [{ kind: 'spiffe', value: 'td/ns/shop/sa/readers' }, false],
    [{ kind: 'labels', scope: scope({ labels: { app: 'reviews' } }) }, true],
    [{ kind: 'labels', scope: scope({ labels: { app: 'ratings' } }) }, false],
    [{ kind: 'namespace', name: 'shop' }, true],
    [{ kind: 'namespace', name: 'other' }, false],
    [{ kind: 'identity', value: '*' }, false],
  ])('%j: %s', (identity, expected) => {
    expect(policiesFor([target(identity)], SELF)).toHaveLength(expected ? 1 : 0);
    // One of several is enough.
    expect(policiesFor([target(identity, { kind: 'namespace', name: 'x' })], SELF)).toHaveLength(expected ? 1 : 0);
  });
});

describe('which connections are accepted here', () => {
  it('is said by documents about this process', () => {
    const [own, other] = [peer('workload', 'strict'), { ...peer('workload', 'disable'), scope: scope({ labels: { app: 'x' } }) }];
    expect(policiesFor([own, other, peer('none', 'strict')], SELF)).toEqual([own]);
  });
});
