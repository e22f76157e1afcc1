// From a leaf over the intermediates that the peer sent to a root that may speak for it. OpenSSL knows one set of roots for
// everybody; SPIFFE wants the set of the trust domain that the leaf claims. Source: X509-SVID §5.2, RFC 5280 §6.
import { type Certificate, KEY_USAGE } from './certificate.ts';
import { type Crl, revocationFault } from './crl.ts';
import type { IdentityFailure, IdentityFailureCode } from './identity-failure.ts';

/** Links between the leaf and the root. */
export const PATH_DEPTH_MAX = 8;
/** Certificates that a peer may send besides its leaf; more would make work. */
export const INTERMEDIATES_MAX = 16;
/** Signatures that are looked at for one peer: certificates that all sign each other would make endless work. */
const SIGNATURES_MAX = 64;

export interface PathCheck {
  readonly leaf: Certificate;
  readonly intermediates: readonly Certificate[];
  /** Any of them ends the path, be it signed by itself or not. */
  readonly roots: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly nowMs: number;
}

interface Climb extends PathCheck {
  signaturesLeft: number;
}

const TEXT: Readonly<Record<'certificate_expired' | 'certificate_not_yet_valid' | 'certificate_revoked' | 'crl_expired', string>> = {
  certificate_expired: 'has expired',
  certificate_not_yet_valid: 'is not valid yet',
  certificate_revoked: 'is revoked',
  crl_expired: 'cannot be checked: the list of revoked certificates of its authority is out of date',
};

/** null when there is a path. */
export function pathFault(check: PathCheck): IdentityFailure | null {
  const own = timeFault(check.leaf, check.nowMs);
  if (own !== null) return failure(own, 'the certificate of the peer');
  return climb(check.leaf, new Set(), { ...check, signaturesLeft: SIGNATURES_MAX });
}

function failure(code: keyof typeof TEXT, what: string): IdentityFailure {
  return { code: code as IdentityFailureCode, message: `${what} ${TEXT[code]}` };
}

const UNTRUSTED: IdentityFailure = {
  code: 'chain_untrusted',
  message: 'no chain leads from the certificate of the peer to a root that we trust for it',
};

/** What stops every way up from here; the most telling reason. */
function climb(child: Certificate, passed: ReadonlySet<Certificate>, check: Climb): IdentityFailure | null {
  if (passed.size >= PATH_DEPTH_MAX) return UNTRUSTED;
  // Among roots that are the same authority renewed, any will do.
  let told: IdentityFailure = UNTRUSTED;
  for (const root of check.roots) {
    if (!signs(root, child, passed.size, check)) continue;
    const fault = linkFault(child, root, check);
    if (fault === null) return null;
    told = fault;
  }
  for (const issuer of check.intermediates) {
    if (passed.has(issuer) || !signs(issuer, child, passed.size, check)) continue;
    const fault = linkFault(child, issuer, check) ?? climb(issuer, new Set([...passed, issuer]), check);
    if (fault === null) return null;
    if (told === UNTRUSTED) told = fault;
  }
  return told;
}

function signs(issuer: Certificate, child: Certificate, intermediatesBelow: number, climb: Climb): boolean {
  if (!issuer.isCa || issuer.pathLength < intermediatesBelow) return false;
  if (issuer.keyUsage !== null && (issuer.keyUsage & KEY_USAGE.keyCertSign) === 0) return false;
  if (child.issuer !== issuer.subject || !child.x509.checkIssued(issuer.x509) || climb.signaturesLeft === 0) return false;
  climb.signaturesLeft--;
  return child.x509.verify(issuer.x509.publicKey);
}

function linkFault(child: Certificate, issuer: Certificate, { crls, nowMs }: PathCheck): IdentityFailure | null {
  const revoked = revocationFault(child, issuer, crls, nowMs);
  if (revoked !== null) return failure(revoked, 'a certificate of the chain');
  const late = timeFault(issuer, nowMs);
  return late === null ? null : failure(late, 'an authority of the chain');
}

/** By the clock of the wall: the only one that a certificate knows. */
export function timeFault(
  { notBeforeMs, notAfterMs }: Pick<Certificate, 'notBeforeMs' | 'notAfterMs'>,
  nowMs: number,
): 'certificate_expired' | 'certificate_not_yet_valid' | null {
  if (nowMs < notBeforeMs) return 'certificate_not_yet_valid';
  return nowMs > notAfterMs ? 'certificate_expired' : null;
}
