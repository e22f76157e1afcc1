// The TLS of a policy through time: made anew when the identity of the mesh rotates, or a file that the policy names changes.
// The last good one stays in force; whoever has pools is told of a new one. Costs nothing per call.
import { type Clock, runAt, type Timer } from '../core/clock.ts';
import { type FileWatch, watchFiles } from '../core/file-watch.ts';
import type { TlsPolicy } from '../model/destination.ts';
import type { IdentitySource, Unsubscribe } from './identity-source.ts';
import { type ClientTls, clientTls, missingTls, usesIdentity } from './tls-context.ts';

export interface RotatingTlsDeps {
  readonly clock: Clock;
  /** Of the mesh; null when it has none. */
  readonly identity: IdentitySource | null;
  /** Told why new files are not used. */
  readonly onFailure: (error: Error) => void;
}

const POLL_MS = 30_000;
const DEBOUNCE_MS = 100;
const TRY_AGAIN_MS = 200;
const TRIES = 5;

export class RotatingTls {
  current: ClientTls;
  readonly #policy: TlsPolicy;
  readonly #deps: RotatingTlsDeps;
  readonly #paths: readonly string[];
  readonly #listeners: Set<() => void> = new Set();
  #watch: FileWatch | null = null;
  #retry: Timer | null = null;
  #unsubscribe: Unsubscribe = () => {};
  #version: number;

  /** Throws an Error with a plain sentence, but for an identity that may still come. */
  constructor(policy: TlsPolicy, deps: RotatingTlsDeps) {
    this.#policy = policy;
    this.#deps = deps;
    const { cert, key, ca, crl } = policy;
    this.#paths = [cert, key, ca, crl].filter((value) => value !== undefined).filter((value) => !value.includes('-----BEGIN'));
    this.#version = deps.identity?.current?.version ?? 0;
    this.current = this.#make();
  }

  /** From now on it follows files and identity. */
  start(): void {
    const { clock, identity } = this.#deps;
    if (this.#paths.length > 0 && this.#watch === null) {
      this.#watch = watchFiles(this.#paths, () => this.#reread(TRIES), { clock, debounceMs: DEBOUNCE_MS, pollMs: POLL_MS });
    }
    if (identity === null || !usesIdentity(this.#policy)) return;
    this.#unsubscribe();
    this.#unsubscribe = identity.subscribe(this.#heed, this.#heed);
  }

  /** Told of each new one. */
  onChange(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#unsubscribe();
    this.#watch?.close();
    if (this.#retry !== null) this.#deps.clock.disarm(this.#retry);
    this.#listeners.clear();
  }

  /** A failure changes nothing, unless the identity was taken back. */
  readonly #heed = (): void => {
    const { current } = this.#deps.identity as IdentitySource;
    const version = current?.version ?? 0;
    if (version === this.#version) return;
    this.#version = version;
    this.#replace();
  };

  /** A writer may be between two files: a while is left to it. */
  #reread(tries: number): void {
    const { clock, onFailure } = this.#deps;
    if (this.#retry !== null) clock.disarm(this.#retry);
    this.#retry = null;
    try {
      this.#replace();
    } catch (error) {
      if (tries > 1) this.#retry = runAt(clock, clock.now() + TRY_AGAIN_MS, () => this.#reread(tries - 1));
      else onFailure(error as Error);
    }
  }

  #replace(): void {
    this.current = this.#make();
    for (const listener of this.#listeners) listener();
  }

  #make(): ClientTls {
    const { clock, identity } = this.#deps;
    const policy = this.#policy;
    if (identity !== null && identity.current === null && usesIdentity(policy)) {
      return missingTls(
        policy,
        `this process has no certificate${identity.lastError === null ? ' yet' : `: ${identity.lastError.message}`}`,
      );
    }
    return clientTls(policy, { identity: identity?.current ?? null, clock });
  }
}
