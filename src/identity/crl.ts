// Lists of revoked certificates. OpenSSL wants a fresh list of every authority in the chain or none at all; ours holds for
// the authority that made it, and a stale one refuses what that authority issued.
import { type KeyObject, verify } from 'node:crypto';
import { type Certificate, derText } from './certificate.ts';
import { DER, type Der, derAt, derInside, derOid, derTime, derValue } from './der.ts';
import { pemBlocks, pemBytes } from './pem.ts';

export interface Crl {
  /** DER of the name. */
  readonly issuer: string;
  /** ms since the epoch; Infinity when it does not say. */
  readonly nextUpdateMs: number;
  /** Hex. */
  readonly serials: ReadonlySet<string>;
  /** Whether this key made it. */
  isSignedBy(key: KeyObject): boolean;
}

/** Digest by algorithm; null where the algorithm has its own. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.3.101.112', null],
]);

/** The label that Node wants; some tools write the other. */
export const CRL_LABELS = ['X509 CRL', 'CRL'] as const;

/** Of one PEM block. Throws an Error with a plain sentence. */
export function readCrl(pem: string): Crl {
  const [block] = CRL_LABELS.flatMap((label) => pemBlocks(pem, label));
  if (block === undefined) throw new Error('the list of revoked certificates holds no block "X509 CRL"');
  try {
    return read(pemBytes(block));
  } catch (error) {
    throw new Error(`the list of revoked certificates cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function isTime(element: Der | undefined): boolean {
  return element?.tag === DER.utcTime || element?.tag === DER.generalizedTime;
}

function read(der: Uint8Array): Crl {
  const [body, algorithm, signature] = derInside(derAt(der), DER.sequence);
  const fields = derInside(body, DER.sequence);
  const first = fields[0]?.tag === DER.integer ? 1 : 0;
  const [, issuer, thisUpdate, ...rest] = fields.slice(first);
  derTime(thisUpdate);
  const nextUpdateMs = isTime(rest[0]) ? derTime(rest[0]) : Number.POSITIVE_INFINITY;
  const revoked = rest.find(({ tag }) => tag === DER.sequence);
  const entries = revoked === undefined ? [] : derInside(revoked, DER.sequence);
  const digest = DIGESTS.get(derOid(derInside(algorithm, DER.sequence)[0]));
  // The first byte says how many bits are unused: none.
  const signed = derValue(signature, DER.bits).subarray(1);
  const whole = (body as Der).whole;
  return {
    issuer: derText(derValue(issuer, DER.sequence)),
    nextUpdateMs,
    serials: new Set(entries.map((entry) => Buffer.from(derValue(derInside(entry, DER.sequence)[0], DER.integer)).toString('hex'))),
    isSignedBy: (key) => digest !== undefined && verify(digest, whole, key, signed),
  };
}

/** Why a certificate is not taken, by the lists of the authority that issued it; null when it is. */
export function revocationFault(
  certificate: Certificate,
  issuer: Certificate,
  crls: readonly Crl[],
  nowMs: number,
): 'crl_expired' | 'certificate_revoked' | null {
  const lists = crls.filter((crl) => crl.issuer === issuer.subject && crl.isSignedBy(issuer.x509.publicKey));
  if (lists.length === 0) return null;
  if (lists.some(({ serials }) => serials.has(certificate.serial))) return 'certificate_revoked';
  return lists.some(({ nextUpdateMs }) => nextUpdateMs > nowMs) ? null : 'crl_expired';
}
