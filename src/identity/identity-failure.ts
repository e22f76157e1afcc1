// Why a peer is not who it should be: a value, not an error, because the two sides of a connection report it differently.

export type IdentityFailureCode =
  /** The peer showed no certificate. */
  | 'certificate_missing'
  | 'certificate_unreadable'
  /** The leaf is an authority, or may not sign, or may sign certificates, or is for the other side of a connection. */
  | 'certificate_unfit'
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_revoked'
  /** The list of revoked certificates is older than it says it may be. */
  | 'crl_expired'
  /** No URI name where one is needed, several, or one that is no SPIFFE ID. */
  | 'spiffe_id_invalid'
  /** We have no roots of the trust domain that the ID claims. */
  | 'trust_domain_unknown'
  /** No path from the leaf to a root of that domain. */
  | 'chain_untrusted'
  /** All is well with it, but it is somebody else. */
  | 'peer_unexpected';

export interface IdentityFailure {
  readonly code: IdentityFailureCode;
  /** A sentence without its full stop. */
  readonly message: string;
}

/** What the result of a check is. */
export function isIdentityFailure(result: object): result is IdentityFailure {
  return 'code' in result;
}
