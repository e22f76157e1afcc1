// SMI's rules: what no TrafficTarget lets in is denied, as soon as there is any. Every reading of the path must be let in.
// Source: servicemeshinterface/smi-spec, apis/traffic-access.
import type { TrafficTargetPolicy } from '../model/security.ts';
import { clientTest, type PeerTest } from './clients.ts';
import { asRead, type MatchTest, type RouteMatcher } from './matches.ts';
import type { AccessRequest } from './request.ts';
import type { KnownPath } from './rule.ts';
import type { AccessGroup, Denial } from './rules.ts';
import type { HostName } from './host-name.ts';

interface Target {
  readonly policy: TrafficTargetPolicy;
  readonly isSource: PeerTest;
  /** null: every call. */
  readonly matches: MatchTest | null;
  readonly ports: ReadonlySet<number>;
}

export class TargetAccess implements AccessGroup {
  readonly #targets: readonly Target[];

  /** Those about this process; none: nobody is let in. */
  constructor(policies: readonly TrafficTargetPolicy[], matcher: RouteMatcher) {
    this.#targets = policies.map((policy): Target => {
      const { matches, anyHttp, ports } = policy;
      const none: MatchTest = () => false;
      return {
        policy,
        isSource: clientTest(policy.sources),
        matches: anyHttp ? null : matches.length === 0 ? none : matcher(matches),
        ports: new Set(ports),
      };
    });
  }

  decide(request: AccessRequest, _: HostName, { readings }: KnownPath): Denial | null {
    const { peer, localPort } = request;
    const open = this.#targets.filter(
      ({ isSource, ports }) => peer !== null && isSource(peer) && (ports.size === 0 || ports.has(localPort)),
    );
    const isIn = readings.every(({ text }) => open.some(({ matches }) => matches === null || matches(asRead(request, text))));
    if (isIn) return null;
    const policy = open.at(-1)?.policy ?? this.#targets.at(-1)?.policy ?? null;
    return { reason: 'no-allow', policy, rule: -1, condition: open.length > 0 ? 'rules' : 'sources', dialect: 'smi' };
  }
}
