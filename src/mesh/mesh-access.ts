// Who may call this process: all that decides about it, made of a configuration before anything is changed, so that a reload with a
// fault leaves the old rules in force; and told of in events.
import type { Clock } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import { type AccessFunction, denialText, policyLabel, type Verdict } from '../access/check.ts';
import { type LoadedAccess, loadAccess } from '../access/load.ts';
import type { AccessRequest } from '../access/request.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';
import type { MeshConfig } from '../model/config.ts';
import { loadRegex } from '../route/regex.ts';
import { inboundMatcher } from './inbound-matcher.ts';

export interface MeshAccessDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Policies of the application. */
  readonly functions: readonly AccessFunction[];
}

export class MeshAccess {
  readonly #deps: MeshAccessDeps;
  #loaded: LoadedAccess = { check: null, close() {} };

  constructor(deps: MeshAccessDeps) {
    this.#deps = deps;
  }

  /** Rejects with what to do when something is missing that the rules need. */
  async prepare({ inbound, self, identity }: MeshConfig, source: IdentitySource | null): Promise<LoadedAccess> {
    const { clock, functions } = this.#deps;
    const own = trustDomainOf(source);
    const needsMatcher = (inbound.policies ?? []).some(({ kind }) => kind === 'linkerd-server' || kind === 'traffic-target');
    return loadAccess(inbound, self, {
      clock,
      functions,
      trustDomains: { own, aliases: identity?.trustDomainAliases ?? [] },
      ...(needsMatcher ? { matcher: inboundMatcher((await loadRegex()).compile) } : {}),
    });
  }

  /** Of every denial, and of what dry runs and audits would have said. */
  readonly onVerdict = (verdict: Verdict, request: AccessRequest): void => {
    const { decision, status } = verdict;
    const { reason } = decision;
    const policy = policyLabel(decision.policy);
    const message = denialText(verdict, request);
    this.#deps.emit(reason === null ? { type: 'callAudited', policy, message } : { type: 'callDenied', status, policy, reason, message });
  };

  /** From now on these rules hold. */
  commit(loaded: LoadedAccess): LoadedAccess['check'] {
    this.#loaded.close();
    this.#loaded = loaded;
    return loaded.check;
  }

  close(): void {
    this.#loaded.close();
  }
}

function trustDomainOf(source: IdentitySource | null): string {
  const id = parseSpiffeId(source?.current?.spiffeId ?? '');
  return typeof id === 'string' ? '' : id.trustDomain;
}
