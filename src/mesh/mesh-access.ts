// Who may call this process: made of a configuration before anything is changed, so that a reload with a fault leaves the old rules
// in force. Where nobody says anything of it, nothing is loaded.
import type { AccessFunction, Verdict } from '../access/check.ts';
import type { LoadedAccess } from '../access/load.ts';
import type { AccessRequest } from '../access/request.ts';
import type { Clock } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { MeshConfig } from '../model/config.ts';

export interface MeshAccessDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Policies of the application. */
  readonly functions: readonly AccessFunction[];
}

/** Everybody may call. */
const OPEN: LoadedAccess = { check: null, close() {} };

export class MeshAccess {
  readonly #deps: MeshAccessDeps;
  #loaded: LoadedAccess = OPEN;
  #rules: typeof import('./access-rules.ts') | null = null;

  constructor(deps: MeshAccessDeps) {
    this.#deps = deps;
  }

  /** Rejects with what to do when something is missing that the rules need. */
  async prepare(config: MeshConfig, source: IdentitySource | null): Promise<LoadedAccess> {
    const { clock, functions } = this.#deps;
    const { policies = [] } = config.inbound;
    if (policies.length === 0 && functions.length === 0) return OPEN;
    this.#rules ??= await import('./access-rules.ts');
    return this.#rules.accessRules(config, source, { clock, functions });
  }

  /** Of every denial, and of what dry runs and audits would have said. */
  readonly onVerdict = (verdict: Verdict, request: AccessRequest): void => {
    if (this.#rules !== null) this.#deps.emit(this.#rules.verdictEvent(verdict, request));
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
