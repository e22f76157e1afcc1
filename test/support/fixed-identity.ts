// An identity source whose value the test decides, and identities made of the certificates of test/identity.
import type { Identity, IdentitySource, Unsubscribe } from '../../src/identity/identity-source.ts';
import type { Authority, LeafOptions } from '../identity/certificates.ts';

export class FixedIdentity implements IdentitySource {
  current: Identity | null;
  lastError: Error | null = null;
  readonly #listeners: Set<(identity: Identity) => void> = new Set();

  constructor(identity: Identity | null) {
    this.current = identity;
  }

  /** A rotation. */
  set(identity: Identity): void {
    this.current = identity;
    for (const listener of this.#listeners) listener(identity);
  }

  ready(): Promise<Identity> {
    return this.current === null ? Promise.reject(new Error('no identity')) : Promise.resolve(this.current);
  }

  subscribe(listener: (identity: Identity) => void): Unsubscribe {
    this.#listeners.add(listener);
    if (this.current !== null) listener(this.current);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  close(): void {}
}

export interface IdentityOptions extends LeafOptions {
  /** @default cluster.local */
  readonly trustDomain?: string;
  /** Whose leaves are trusted. @default those of the authority */
  readonly roots?: readonly Authority[];
  readonly version?: number;
}

/** Of `spiffe://cluster.local/ns/default/sa/NAME`, also for localhost. */
export function identityOf(authority: Authority, name: string, options: IdentityOptions = {}): Identity {
  const { trustDomain = 'cluster.local', roots = [authority], version = 1, ...leaf } = options;
  const spiffeId = `spiffe://${trustDomain}/ns/default/sa/${name}`;
  const nowMs = Date.now();
  const { notBeforeMs = nowMs - 3_600_000, notAfterMs = nowMs + 86_400_000 } = leaf;
  const { cert, key } = authority.issue({ uris: [spiffeId], dns: ['localhost'], ...leaf });
  const bundles = new Map([[trustDomain, roots.map((root) => root.cert)]]);
  return { chain: [cert], key, spiffeId, bundles, crls: [], notBeforeMs, notAfterMs, version };
}
