// What decides who may call, made of a configuration that says something about it; loaded only then. Told of in events.
import { type AccessFunction, denialText, policyLabel, type Verdict } from '../access/check.ts';
import { type LoadedAccess, loadAccess } from '../access/load.ts';
import type { AccessRequest } from '../access/request.ts';
import type { Clock } from '../core/clock.ts';
import type { MeshEvent } from '../core/events.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { MeshConfig } from '../model/config.ts';
import { loadRegex } from '../route/regex.ts';
import { inboundMatcher } from './inbound-matcher.ts';

export interface AccessRulesDeps {
  readonly clock: Clock;
  readonly functions: readonly AccessFunction[];
}

/** Rejects with what to do when something is missing that the rules need. */
export async function accessRules(
  { inbound, self, identity }: MeshConfig,
  source: IdentitySource | null,
  { clock, functions }: AccessRulesDeps,
): Promise<LoadedAccess> {
  const own = trustDomainOf(source);
  const needsMatcher = (inbound.policies ?? []).some(({ kind }) => kind === 'linkerd-server' || kind === 'traffic-target');
  return loadAccess(inbound, self, {
    clock,
    functions,
    trustDomains: { own, aliases: identity?.trustDomainAliases ?? [] },
    ...(needsMatcher ? { matcher: inboundMatcher((await loadRegex()).compile) } : {}),
  });
}

/** Of a denial, or of what a dry run or an audit would have said. */
export function verdictEvent(verdict: Verdict, request: AccessRequest): MeshEvent {
  const { decision, status } = verdict;
  const { reason } = decision;
  const policy = policyLabel(decision.policy);
  const message = denialText(verdict, request);
  return reason === null ? { type: 'callAudited', policy, message } : { type: 'callDenied', status, policy, reason, message };
}

function trustDomainOf(source: IdentitySource | null): string {
  const id = parseSpiffeId(source?.current?.spiffeId ?? '');
  return typeof id === 'string' ? '' : id.trustDomain;
}
