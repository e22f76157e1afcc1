// The port of everything that gives this process its certificate: files, a SPIFFE agent, a callback, the development CA.
// One value at a time, replaced as a whole, so that a key never meets the certificate of another rotation.

/** What this process shows, and whom it trusts. Immutable; a rotation makes a new one. */
export interface Identity {
  /** PEM, leaf first, then the intermediates. */
  readonly chain: readonly string[];
  /** PEM, PKCS#8 or older. */
  readonly key: string;
  /** Of the leaf; '' when it has none. */
  readonly spiffeId: string;
  /** Roots (PEM) by trust domain; the key '' holds roots that are bound to no domain. */
  readonly bundles: ReadonlyMap<string, readonly string[]>;
  /** PEM, label `X509 CRL`. */
  readonly crls: readonly string[];
  /** Other names of the leaf's trust domain: their IDs are verified by the same roots. Absent: none. */
  readonly trustDomainAliases?: readonly string[];
  /** Of the leaf, ms since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 1 for the first; greater for each that follows. */
  readonly version: number;
}

/** Ends a subscription. */
export type Unsubscribe = () => void;

/** Where identities come from. Keeps the last good one when it cannot get another. */
export interface IdentitySource {
  /** The last good one; null before the first. */
  readonly current: Identity | null;
  /** Why the newest try failed; null when it did not. */
  readonly lastError: Error | null;
  /** Resolves with the first identity; rejects when there is none and none will come. */
  ready(): Promise<Identity>;
  /**
   * Told of every identity from the current one on; `failed` of every try that gave none, while `current` stays what it was.
   * An identity that was taken back is such a failure: `current` is null then.
   */
  subscribe(listener: (identity: Identity) => void, failed?: (error: Error) => void): Unsubscribe;
  close(): void;
}
