// Who is at the other end of a connection, as its certificate says and our checks allow. Nothing that comes from a header.

/** Made once per connection. Plain connections have none. */
export interface PeerIdentity {
  /** `spiffe://domain/path`, or '' when the certificate names no such thing. */
  readonly spiffeId: string;
  readonly trustDomain: string;
  /** Of `/ns/NS/sa/SA`; '' when the path has another form. */
  readonly namespace: string;
  readonly serviceAccount: string;
  /** DNS names of the certificate. */
  readonly dns: readonly string[];
  /** ms since the epoch. */
  readonly notAfterMs: number;
  /** SHA-256 of the leaf, hex pairs with colons. */
  readonly fingerprint: string;
}
