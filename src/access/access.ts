// Whether a call may come in: all policies about this process, compiled once, asked for each call without allocating anything
// when the answer is yes. Pure: who has to be asked elsewhere (tokens, external authorizers, your function) is the layer's part.
// Each dialect decides by its own rules, and all must let the call in.
import type { AuthorizationPolicy, PolicyHead, SecurityPolicy } from '../model/security.ts';
import { LinkerdAccess } from './linkerd.ts';
import type { RouteMatcher } from './matches.ts';
import { allBits } from './path.ts';
import type { TrustDomains } from './principal.ts';
import type { AccessRequest, Decision, DenyReason, ShadowResult } from './request.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { KnownPath, KnownPeer, Places } from './rule.ts';
import { type AccessGroup, AccessRules, type Denial } from './rules.ts';
import { TargetAccess } from './target.ts';
import { type HostName, hostNameOf } from './host-name.ts';
import { readingsOf } from './path-readings.ts';
import { policiesFor, type Workload } from './policy-scope.ts';
import { Remembered } from './remembered.ts';

/** Paths and hosts that are kept ready, in each of two generations. */
const PATHS_MAX = 1_024;
const HOSTS_MAX = 256;

export interface AccessOptions {
  /** @default no trust domain, no aliases */
  readonly trustDomains?: TrustDomains;
  /** Compiles conditions of routes, for Linkerd and SMI. @default nothing matches */
  readonly matcher?: RouteMatcher;
}

/** Whom CUSTOM asks before everything else. */
export interface CustomAsk {
  readonly policy: AuthorizationPolicy;
  readonly rule: number;
  /** null: several, and nobody knows which one counts. */
  readonly provider: string | null;
}

export interface Access {
  /** Whether nothing is asked of anybody: then no layer is needed. */
  readonly isOpen: boolean;
  /** The authorizer to ask first; null: nobody. A call that nobody can read is left to `decide`. */
  custom(request: AccessRequest): CustomAsk | null;
  decide(request: AccessRequest): Decision;
}

const NOTHING: readonly [] = Object.freeze([]);

const ALLOWED: Decision = Object.freeze({
  allowed: true,
  status: 0,
  reason: null,
  policy: null,
  rule: -1,
  condition: '',
  dialect: 'inmesh',
  shadow: NOTHING,
  audited: NOTHING,
});

const STATUS: Readonly<Partial<Record<DenyReason, number>>> = Object.freeze({
  'bad-host': 400,
  'bad-path': 400,
  'no-route': 404,
  rate: 429,
});

/** Answer to those that nothing fits: 403. */
export function denied(reason: DenyReason, denial: Partial<Omit<Denial, 'reason'>> = {}): Decision {
  return { ...ALLOWED, ...denial, allowed: false, status: STATUS[reason] ?? 403, reason };
}

const NO_DOMAINS: TrustDomains = Object.freeze({ own: '', aliases: NOTHING });
const NO_MATCHER: RouteMatcher = () => () => false;

/** `policies`: all that the configuration has, of other workloads, too. */
export function compileAccess(policies: readonly SecurityPolicy[], self: Workload, options: AccessOptions = {}): Access {
  const { trustDomains = NO_DOMAINS, matcher = NO_MATCHER } = options;
  const own = policiesFor(policies, self);
  const counts = { paths: 0, peers: 0 };
  const places: Places = { addPath: () => counts.paths++, addPeer: () => counts.peers++ };
  const authorizations = own.filter((policy) => policy.kind === 'authorization');
  const dialects = [...new Set(authorizations.map(({ dialect }) => dialect))];
  const rules = dialects.map(
    (dialect) =>
      new AccessRules(
        authorizations.filter((policy) => policy.dialect === dialect),
        dialect,
        trustDomains,
        places,
      ),
  );
  const servers = own.filter((policy) => policy.kind === 'linkerd-server');
  const groups: AccessGroup[] = [...rules];
  if (servers.length > 0) {
    groups.push(
      new LinkerdAccess(
        servers,
        own.filter((policy) => policy.kind === 'linkerd-authorization'),
        matcher,
      ),
    );
  }
  // As soon as one document speaks of targets, what none of them lets in is shut out, here as everywhere.
  if (policies.some(({ kind }) => kind === 'traffic-target')) {
    groups.push(
      new TargetAccess(
        own.filter((policy) => policy.kind === 'traffic-target'),
        matcher,
      ),
    );
  }
  return new CompiledAccess(groups, rules, providersOf(authorizations), counts);
}

function providersOf(policies: readonly AuthorizationPolicy[]): readonly string[] {
  return [...new Set(policies.filter(({ action, dryRun }) => action === 'custom' && !dryRun).map(({ provider = '' }) => provider))];
}

class CompiledAccess implements Access {
  readonly #groups: readonly AccessGroup[];
  readonly #rules: readonly AccessRules[];
  readonly #recording: readonly AccessRules[];
  readonly #providers: readonly string[];
  readonly #paths: Remembered<KnownPath | null>;
  readonly #hosts: Remembered<HostName | null>;
  /** One object for each connection. */
  readonly #peers: WeakMap<PeerIdentity, KnownPeer> = new WeakMap();
  readonly #newPeer: () => KnownPeer;
  /** Of those without a certificate. */
  readonly #nobody: KnownPeer;

  constructor(
    groups: readonly AccessGroup[],
    rules: readonly AccessRules[],
    providers: readonly string[],
    { paths, peers }: { readonly paths: number; readonly peers: number },
  ) {
    this.#groups = groups;
    this.#rules = rules;
    this.#recording = rules.filter(({ records }) => records);
    this.#providers = providers;
    this.#hosts = new Remembered(hostNameOf, HOSTS_MAX);
    this.#paths = new Remembered((path) => knownPath(path, paths), PATHS_MAX);
    this.#newPeer = () => new Int8Array(peers).fill(-1);
    this.#nobody = this.#newPeer();
  }

  get isOpen(): boolean {
    return this.#groups.length === 0;
  }

  custom(request: AccessRequest): CustomAsk | null {
    if (this.#providers.length === 0) return null;
    const host = this.#hosts.get(request.authority);
    const path = this.#paths.get(pathOf(request.target));
    if (host === null || path === null) return null;
    for (const rules of this.#rules) {
      const taking = rules.custom(request, host, path, this.#peerOf(request));
      if (taking === null) continue;
      const provider = this.#providers.length === 1 ? (this.#providers[0] as string) : null;
      return { policy: taking.policy, rule: taking.index, provider };
    }
    return null;
  }

  decide(request: AccessRequest): Decision {
    const host = this.#hosts.get(request.authority);
    if (host === null) return denied('bad-host', { condition: 'authority' });
    const path = this.#paths.get(pathOf(request.target));
    if (path === null) return denied('bad-path', { condition: 'path' });
    const peer = this.#peerOf(request);
    const denial = this.#denial(request, host, path, peer);
    const decision = denial === null ? ALLOWED : denied(denial.reason, denial);
    return this.#recording.length === 0 ? decision : this.#recorded(decision, request, host, path, peer);
  }

  #peerOf({ peer }: AccessRequest): KnownPeer {
    if (peer === null) return this.#nobody;
    let known = this.#peers.get(peer);
    if (known === undefined) {
      known = this.#newPeer();
      this.#peers.set(peer, known);
    }
    return known;
  }

  #denial(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): Denial | null {
    const groups = this.#groups;
    for (let i = 0; i < groups.length; i++) {
      const denial = (groups[i] as AccessGroup).decide(request, host, path, peer);
      if (denial !== null) return denial;
    }
    return null;
  }

  #recorded(decision: Decision, request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): Decision {
    const shadow: ShadowResult[] = this.#recording.flatMap((rules) => rules.shadow(request, host, path, peer));
    const audited: PolicyHead[] = this.#recording.flatMap((rules) => rules.audited(request, host, path, peer));
    return shadow.length + audited.length === 0 ? decision : { ...decision, shadow, audited };
  }
}

/** Without the query. */
function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

function knownPath(path: string, conditions: number): KnownPath | null {
  const readings = readingsOf(path);
  return readings === null ? null : { readings, full: allBits(readings), bits: new Int32Array(conditions).fill(-1) };
}
