// The AuthorizationPolicies of one dialect: DENY, then ALLOW; AUDIT and dry run decide nothing. CUSTOM stands before and is asked
// apart, because its answer comes from elsewhere. The decision is what the policies say of every reading of the path: one that
// is denied is enough. Source: Istio AuthorizationPolicy, implicit enablement and order.
import type { Dialect } from '../model/route.ts';
import type { AuthorizationPolicy, PolicyHead } from '../model/security.ts';
import type { TrustDomains } from './principal.ts';
import type { AccessRequest, ShadowResult } from './request.ts';
import { CompiledRule, type KnownPath, type KnownPeer, type Places } from './rule.ts';
import type { HostName } from './host-name.ts';

/** Who said no, and why. */
export interface Denial {
  readonly reason: 'deny' | 'no-allow' | 'no-route';
  readonly policy: PolicyHead | null;
  readonly rule: number;
  readonly condition: string;
  readonly dialect: Dialect;
}

/** What decides for one dialect. null: it lets the call in. */
export interface AccessGroup {
  decide(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): Denial | null;
}

export class AccessRules implements AccessGroup {
  readonly #dialect: Dialect;
  readonly #deny: readonly CompiledRule[];
  readonly #allow: readonly CompiledRule[];
  /** Of `allow` without dry run; those without rules are among them. */
  readonly #allowing: readonly AuthorizationPolicy[];
  readonly #audit: readonly CompiledRule[];
  readonly #custom: readonly CompiledRule[];
  readonly #shadowDeny: readonly CompiledRule[];
  readonly #shadowAllow: readonly CompiledRule[];
  readonly #shadowAllowing: readonly AuthorizationPolicy[];

  constructor(policies: readonly AuthorizationPolicy[], dialect: Dialect, trustDomains: TrustDomains, places: Places) {
    const of = (action: AuthorizationPolicy['action'], isShadow: boolean): AuthorizationPolicy[] =>
      policies.filter((policy) => policy.action === action && policy.dryRun === isShadow);
    const rules = (some: readonly AuthorizationPolicy[]): CompiledRule[] =>
      some.flatMap((policy) =>
        policy.rules.map((_, i) => new CompiledRule(policy, i, { trustDomains, isWide: policy.action !== 'allow' }, places)),
      );
    this.#dialect = dialect;
    this.#allowing = of('allow', false);
    this.#shadowAllowing = of('allow', true);
    this.#deny = rules(of('deny', false));
    this.#allow = rules(this.#allowing);
    this.#audit = rules([...of('audit', false), ...of('audit', true)]);
    this.#custom = rules(of('custom', false));
    this.#shadowDeny = rules(of('deny', true));
    this.#shadowAllow = rules(this.#shadowAllowing);
  }

  decide(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): Denial | null {
    const denied = firstTaking(this.#deny, request, host, path, peer);
    if (denied !== null) return this.#denial('deny', denied.policy, denied.index, denied.describe());
    if (this.#allowing.length === 0 || takesAll(this.#allow, request, host, path, peer)) return null;
    const last = this.#allow.findLast((rule) => rule.bits(request, host, path, peer) !== 0) ?? this.#allow.at(-1);
    if (last === undefined) return this.#denial('no-allow', this.#allowing[0] as AuthorizationPolicy, -1, 'no rule');
    return this.#denial('no-allow', last.policy, last.index, last.failing(request, host, path));
  }

  #denial(reason: Denial['reason'], policy: AuthorizationPolicy, rule: number, condition: string): Denial {
    return { reason, policy, rule, condition, dialect: this.#dialect };
  }

  /** Policies with CUSTOM that take the call. */
  custom(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): CompiledRule | null {
    return firstTaking(this.#custom, request, host, path, peer);
  }

  /** Whether anything is only recorded. */
  get records(): boolean {
    return this.#audit.length + this.#shadowDeny.length + this.#shadowAllowing.length > 0;
  }

  audited(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): AuthorizationPolicy[] {
    const taking = this.#audit.filter((rule) => rule.bits(request, host, path, peer) !== 0);
    return [...new Set(taking.map(({ policy }) => policy))];
  }

  /** What the policies with dry run would have done. Source: Istio, `istio.io/dry-run`. */
  shadow(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): ShadowResult[] {
    const denying = firstTaking(this.#shadowDeny, request, host, path, peer);
    const results: ShadowResult[] = denying === null ? [] : [{ policy: denying.policy, rule: denying.index, result: 'deny' }];
    const [first] = this.#shadowAllowing;
    if (first === undefined) return results;
    const allowing = takesAll(this.#shadowAllow, request, host, path, peer)
      ? firstTaking(this.#shadowAllow, request, host, path, peer)
      : null;
    if (allowing === null) results.push({ policy: first, rule: -1, result: 'no-allow' });
    else results.push({ policy: allowing.policy, rule: allowing.index, result: 'allow' });
    return results;
  }
}

/** The first rule that takes the call for any reading. */
function firstTaking(
  rules: readonly CompiledRule[],
  request: AccessRequest,
  host: HostName,
  path: KnownPath,
  peer: KnownPeer,
): CompiledRule | null {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as CompiledRule;
    if (rule.bits(request, host, path, peer) !== 0) return rule;
  }
  return null;
}

/** Whether each reading is taken by some rule. */
function takesAll(rules: readonly CompiledRule[], request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): boolean {
  const { full } = path;
  let taken = 0;
  for (let i = 0; i < rules.length; i++) {
    taken |= (rules[i] as CompiledRule).bits(request, host, path, peer);
    if (taken === full) return true;
  }
  return false;
}
