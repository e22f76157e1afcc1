// The identity of one mesh: the source that the configuration names, or that was handed in; kept over reloads that do not
// change it, and told of in events.
import { type Clock, type Random, runAt, type Timer } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { Identity, IdentitySource } from '../identity/identity-source.ts';
import type { IdentityConfig } from '../model/config.ts';

export interface MeshIdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  /** Instead of what the configuration says. */
  readonly given?: IdentitySource | undefined;
  /** Longest wait for the first identity of an agent, ms; then the mesh starts without, and refuses what needs one. */
  readonly readyMs: number;
}

export interface PreparedIdentity {
  readonly key: string;
  readonly source: IdentitySource | null;
}

export interface IdentitySnapshot {
  /** Of the leaf; '' when it has none. */
  readonly spiffeId: string;
  /** ms since the epoch. */
  readonly notAfterMs: number;
  /** 1 for the first; greater for each that follows. */
  readonly generation: number;
  readonly trustDomains: readonly string[];
  /** Why the newest try failed; null when it did not. */
  readonly lastError: string | null;
}

/** What is left of a life when somebody should look. Source: security notes §2. */
const WARN_SHARE = 1 / 3;
const ERROR_SHARE = 1 / 10;

export class MeshIdentity {
  readonly #deps: MeshIdentityDeps;
  #key = '';
  #source: IdentitySource | null = null;
  #stop: () => void = () => {};
  #expiry: Timer | null = null;
  #isProbed = false;

  constructor(deps: MeshIdentityDeps) {
    this.#deps = deps;
    if (deps.given !== undefined) this.#use(deps.given);
  }

  get source(): IdentitySource | null {
    return this.#source;
  }

  /** Rejects with a plain sentence when there is no identity and none will come; nothing is changed yet. */
  async prepare(config: IdentityConfig | null): Promise<PreparedIdentity> {
    const { clock, random, given, readyMs } = this.#deps;
    if (given !== undefined) {
      await this.#wait(given, readyMs);
      return { key: '', source: given };
    }
    const key = config === null ? '' : JSON.stringify(config);
    if (config === null || key === this.#key) return { key, source: config === null ? null : this.#source };
    const { sourceFrom } = await import('../identity/source-from-config.ts');
    const source = sourceFrom(config, { clock, random });
    if (config.spiffe !== undefined) await this.#wait(source, readyMs);
    if (source.current === null && config.spiffe === undefined) {
      source.close();
      throw source.lastError ?? new Error('there is no identity');
    }
    return { key, source };
  }

  commit({ key, source }: PreparedIdentity): void {
    if (source === this.#source) return;
    const old = this.#source;
    this.#key = key;
    this.#use(source);
    old?.close();
  }

  /** Runs what needs the identity of a configuration, and takes that when it went well. */
  async with<T>(config: IdentityConfig | null, run: (source: IdentitySource | null) => Promise<T>): Promise<T> {
    const prepared = await this.prepare(config);
    try {
      const result = await run(prepared.source);
      this.commit(prepared);
      return result;
    } catch (error) {
      this.discard(prepared);
      throw error;
    }
  }

  /** What was prepared is not wanted. */
  discard({ source }: PreparedIdentity): void {
    if (source !== this.#source) source?.close();
  }

  close(): void {
    const { given } = this.#deps;
    this.#stop();
    this.#disarm();
    // Who handed it in may use it elsewhere.
    if (this.#source !== given) this.#source?.close();
  }

  snapshot(): IdentitySnapshot | null {
    if (this.#source === null) return null;
    const { current, lastError } = this.#source;
    return {
      spiffeId: current?.spiffeId ?? '',
      notAfterMs: current?.notAfterMs ?? 0,
      generation: current?.version ?? 0,
      trustDomains: [...(current?.bundles.keys() ?? [])].filter((domain) => domain !== ''),
      lastError: lastError?.message ?? null,
    };
  }

  #use(source: IdentitySource | null): void {
    this.#stop();
    this.#disarm();
    this.#source = source;
    this.#stop = source?.subscribe(this.#took, this.#failed) ?? (() => {});
  }

  readonly #took = (identity: Identity): void => {
    const { spiffeId, notAfterMs, version, bundles } = identity;
    this.#deps.emit({ type: 'identityRotated', spiffeId, notAfterMs, version });
    this.#watchExpiry(identity);
    if (bundles.size > 1) void this.#probe();
  };

  readonly #failed = ({ message }: Error): void => {
    this.#deps.emit({ type: 'identityFailed', service: '', message });
    if (this.#source?.current === null) this.#disarm();
  };

  /** Some versions of Node hide the intermediates that a peer sends: then peers of several domains are told apart by none. */
  async #probe(): Promise<void> {
    if (this.#isProbed) return;
    this.#isProbed = true;
    const { seesIntermediates } = await import('../identity/chain-probe.ts');
    if (await seesIntermediates(this.#deps.clock.wall())) return;
    const message = `Node ${process.version} hides the intermediate certificates of peers: with several trust domains, peers whose bundle does not hold their intermediates are refused. Update Node, or put the intermediates into the bundles`;
    this.#deps.emit({ type: 'identityFailed', service: '', message });
  }

  #watchExpiry({ spiffeId, notBeforeMs, notAfterMs }: Identity): void {
    const { clock, emit } = this.#deps;
    const lifeMs = notAfterMs - notBeforeMs;
    const steps = [
      { severity: 'warning', atMs: notAfterMs - lifeMs * WARN_SHARE },
      { severity: 'error', atMs: notAfterMs - lifeMs * ERROR_SHARE },
      { severity: 'expired', atMs: notAfterMs },
    ] as const;
    const next = (index: number): void => {
      this.#disarm();
      const step = steps[index];
      if (step === undefined) return;
      this.#expiry = runAt(clock, clock.now() + Math.max(0, step.atMs - clock.wall()), () => {
        emit({ type: 'identityExpiring', spiffeId, notAfterMs, severity: step.severity });
        next(index + 1);
      });
    };
    next(0);
  }

  #disarm(): void {
    if (this.#expiry !== null) this.#deps.clock.disarm(this.#expiry);
    this.#expiry = null;
  }

  async #wait(source: IdentitySource, forMs: number): Promise<void> {
    const { clock } = this.#deps;
    const waited = Promise.withResolvers<void>();
    const timer = runAt(clock, clock.now() + forMs, waited.resolve);
    await Promise.race([source.ready().catch(() => {}), waited.promise]);
    clock.disarm(timer);
  }
}
