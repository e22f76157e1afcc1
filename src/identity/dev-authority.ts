// A certificate authority for development and tests: a root, intermediates, SPIFFE leaves, lists of revoked ones. For
// production there are SPIRE, cert-manager and Istio: this one keeps its key in the process, or in a file.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { KEY_USAGE, readCertificate } from './certificate.ts';
import { issueCertificate, issueCrl, type KeyPair, keyText, newKeyPair } from './issue-certificate.ts';
import { parseSpiffeId, trustDomainFault } from './spiffe-id.ts';

export interface LeafRequest {
  /** `spiffe://domain/path`. */
  readonly spiffeId: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** ms since the epoch. */
  readonly nowMs: number;
  /** @default 24 h */
  readonly lifeMs?: number;
}

export interface IssuedLeaf {
  /** PEM, leaf first, then the intermediates. */
  readonly chain: readonly string[];
  /** PEM. */
  readonly key: string;
}

/** PEM of an authority, to be kept. */
export interface KeptAuthority {
  readonly cert: string;
  readonly key: string;
}

export interface AuthorityOptions {
  readonly trustDomain: string;
  readonly nowMs: number;
  /** @default 10 years */
  readonly lifeMs?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LEAF_LIFE_MS = DAY_MS;
const ROOT_LIFE_MS = 3_650 * DAY_MS;
/** Clocks of two machines differ. */
const EARLY_MS = 5 * 60_000;
const AUTHORITY_USAGE = KEY_USAGE.keyCertSign | KEY_USAGE.crlSign;
const BOTH_SIDES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

/** A new root. Throws an Error for what is no trust domain. */
export function newAuthority({ trustDomain, nowMs, lifeMs = ROOT_LIFE_MS }: AuthorityOptions): DevAuthority {
  const fault = trustDomainFault(trustDomain);
  if (fault !== null) throw new Error(`${JSON.stringify(trustDomain)} cannot be a trust domain: ${fault}`);
  const keys = newKeyPair();
  const subject = `${trustDomain} development root`;
  const cert = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer: { subject, keys },
    notBeforeMs: nowMs - EARLY_MS,
    notAfterMs: nowMs + lifeMs,
    isCa: true,
    keyUsage: AUTHORITY_USAGE,
    uris: [`spiffe://${trustDomain}`],
  });
  return new DevAuthority(trustDomain, cert, keys);
}

/** A root that was kept. Throws an Error when the two do not belong together, or it is no root of this kind. */
export function loadAuthority({ cert, key }: KeptAuthority): DevAuthority {
  const { uris, isCa, x509 } = readCertificate(cert);
  const trustDomain = (uris[0] ?? '').slice('spiffe://'.length);
  if (!isCa || trustDomainFault(trustDomain) !== null) throw new Error('the certificate is not that of a development CA');
  const privateKey = createPrivateKey(key);
  if (!x509.checkPrivateKey(privateKey)) throw new Error('the key of the development CA does not fit its certificate');
  return new DevAuthority(trustDomain, cert, { privateKey, publicKey: createPublicKey(privateKey) });
}

export class DevAuthority {
  readonly trustDomain: string;
  /** PEM. */
  readonly cert: string;
  /** PEM of the root above it; its own when it is the root. */
  readonly root: string;
  readonly #keys: KeyPair;
  /** PEM; what leaves need besides the root: this one and those above, without the root. */
  readonly #above: readonly string[];

  constructor(trustDomain: string, cert: string, keys: KeyPair, above: readonly string[] = [], root: string = cert) {
    this.trustDomain = trustDomain;
    this.cert = cert;
    this.root = root;
    this.#keys = keys;
    this.#above = above;
  }

  /** PEM of the private key. */
  get key(): string {
    return keyText(this.#keys);
  }

  /** An authority below this one. */
  intermediate({ nowMs, lifeMs = ROOT_LIFE_MS }: Omit<AuthorityOptions, 'trustDomain'>): DevAuthority {
    const keys = newKeyPair();
    const cert = issueCertificate({
      subject: `${this.trustDomain} development intermediate ${this.#above.length + 1}`,
      publicKey: keys.publicKey,
      issuer: this.#issuer,
      notBeforeMs: nowMs - EARLY_MS,
      notAfterMs: nowMs + lifeMs,
      isCa: true,
      keyUsage: AUTHORITY_USAGE,
      uris: [`spiffe://${this.trustDomain}`],
    });
    return new DevAuthority(this.trustDomain, cert, keys, [cert, ...this.#above], this.root);
  }

  /** Throws an Error for an ID that is none, or of another trust domain. */
  issue({ spiffeId, dns = [], ips = [], nowMs, lifeMs = LEAF_LIFE_MS }: LeafRequest): IssuedLeaf {
    const id = parseSpiffeId(spiffeId);
    if (typeof id === 'string') throw new Error(`${JSON.stringify(spiffeId)} is no SPIFFE ID: ${id}`);
    if (id.trustDomain !== this.trustDomain) throw new Error(`${spiffeId} is not of the trust domain ${this.trustDomain}`);
    const keys = newKeyPair();
    const cert = issueCertificate({
      subject: '',
      publicKey: keys.publicKey,
      issuer: this.#issuer,
      // Never earlier than a short life ends: tests issue what has expired.
      notBeforeMs: Math.min(nowMs, nowMs + lifeMs) - EARLY_MS,
      notAfterMs: nowMs + lifeMs,
      isCa: false,
      keyUsage: KEY_USAGE.digitalSignature,
      extendedKeyUsage: BOTH_SIDES,
      uris: [spiffeId],
      dns,
      ips,
    });
    return { chain: [cert, ...this.#above], key: keyText(keys) };
  }

  /** PEM. `revoked`: certificates of this authority, PEM. */
  crl(revoked: readonly string[], { nowMs, lifeMs = LEAF_LIFE_MS }: Omit<AuthorityOptions, 'trustDomain'>): string {
    const serials = revoked.map((cert) => readCertificate(cert).serial);
    return issueCrl({ issuer: this.#issuer, revoked: serials, thisUpdateMs: nowMs - EARLY_MS, nextUpdateMs: nowMs + lifeMs });
  }

  get #issuer(): { readonly subject: string; readonly keys: KeyPair } {
    return { subject: subjectOf(this.cert), keys: this.#keys };
  }
}

function subjectOf(cert: string): string {
  return readCertificate(cert).x509.subject.slice('CN='.length);
}
