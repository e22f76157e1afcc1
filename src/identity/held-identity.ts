// What all sources share: the last good identity, why the newest try failed, who wants to know, and a moment's wait before a
// new one is taken, so that a fleet does not reconnect at once. Must not know where identities come from.
import { type Clock, type Random, runAt, type Timer } from '../core/clock.ts';
import { type IdentityMaterial, readIdentity, sameIdentity } from './identity-material.ts';
import type { Identity, IdentitySource, Unsubscribe } from './identity-source.ts';

export interface HeldIdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Longest wait before a new identity replaces one that is still good, ms; a tenth of what is left of the old one at most. @default 10000 */
  readonly jitterMaxMs?: number | undefined;
  /** Other names of our own trust domain. @default none */
  readonly trustDomainAliases?: readonly string[] | undefined;
}

interface Listener {
  readonly took: (identity: Identity) => void;
  readonly failed: (error: Error) => void;
}

const JITTER_MS_MAX = 10_000;
const OVERLAP_SHARE = 0.1;

export class HeldIdentity implements IdentitySource {
  current: Identity | null = null;
  lastError: Error | null = null;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #jitterMaxMs: number;
  readonly #aliases: readonly string[];
  readonly #listeners: Set<Listener> = new Set();
  readonly #first: PromiseWithResolvers<Identity> = Promise.withResolvers();
  #waiting: Omit<Identity, 'version'> | null = null;
  #swap: Timer | null = null;
  #version = 0;
  #onClose: () => void = () => {};
  #isClosed = false;

  constructor({ clock, random, jitterMaxMs = JITTER_MS_MAX, trustDomainAliases = [] }: HeldIdentityDeps) {
    this.#clock = clock;
    this.#random = random;
    this.#jitterMaxMs = jitterMaxMs;
    this.#aliases = trustDomainAliases;
    // Nobody may be waiting.
    this.#first.promise.catch(() => {});
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Run when the source is closed. */
  set onClose(close: () => void) {
    this.#onClose = close;
  }

  /** The one that waits to be taken, else the current one. */
  get newest(): Omit<Identity, 'version'> | null {
    return this.#waiting ?? this.current;
  }

  ready(): Promise<Identity> {
    return this.#first.promise;
  }

  subscribe(listener: (identity: Identity) => void, failed: (error: Error) => void = () => {}): Unsubscribe {
    const entry: Listener = { took: listener, failed };
    this.#listeners.add(entry);
    if (this.current !== null) listener(this.current);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopSwap();
    this.#onClose();
    this.#listeners.clear();
    this.#first.reject(new Error('the source of the identity was closed'));
  }

  /** What the source got now. The first is taken at once; what is no good is a failure. Says whether it was good. */
  offer(material: IdentityMaterial): boolean {
    let next: Omit<Identity, 'version'>;
    try {
      next = readIdentity(material, this.#clock.wall());
    } catch (error) {
      this.fail(error as Error);
      return false;
    }
    if (this.#isClosed) return true;
    this.lastError = null;
    const before = this.newest;
    if (before !== null && sameIdentity(before, next)) return true;
    this.#waiting = next;
    const delayMs = this.current === null ? 0 : this.#delayMs(this.current);
    if (delayMs === 0) this.#take();
    else this.#swap ??= runAt(this.#clock, this.#clock.now() + delayMs, this.#take);
    return true;
  }

  /** The last good one stays. The same reason again is no news. */
  fail(error: Error): void {
    const isNews = this.lastError?.message !== error.message;
    this.lastError = error;
    if (isNews) for (const { failed } of this.#listeners) failed(error);
  }

  /** The identity was taken back: it must not be used any longer. */
  withdraw(error: Error): void {
    this.#stopSwap();
    this.current = null;
    this.fail(error);
  }

  /** No identity will come. */
  giveUp(error: Error): void {
    this.fail(error);
    this.#first.reject(error);
  }

  #delayMs({ notAfterMs }: Identity): number {
    const leftMs = Math.max(0, notAfterMs - this.#clock.wall());
    return Math.floor(this.#random() * Math.min(this.#jitterMaxMs, leftMs * OVERLAP_SHARE));
  }

  #stopSwap(): void {
    if (this.#swap !== null) this.#clock.disarm(this.#swap);
    this.#swap = null;
    this.#waiting = null;
  }

  readonly #take = (): void => {
    const next = this.#waiting as Omit<Identity, 'version'>;
    this.#stopSwap();
    this.current = { ...next, trustDomainAliases: this.#aliases, version: ++this.#version };
    this.#first.resolve(this.current);
    for (const { took } of this.#listeners) took(this.current);
  };
}
