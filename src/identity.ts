// `inmesh/identity`: where the certificate of this process comes from, and what a SPIFFE ID is. For those who bring a source of
// their own, or check peers themselves.
export { callbackSource, type CallbackOptions, type FetchedIdentity } from './identity/callback-source.ts';
export {
  type AuthorityOptions,
  DevAuthority,
  type IssuedLeaf,
  type LeafRequest,
  loadAuthority,
  newAuthority,
} from './identity/dev-authority.ts';
export { devSource } from './identity/dev-source.ts';
export { type ExpectedPeer, expectedHost, expectedNames } from './identity/expected-peer.ts';
export { fileSource, type IdentityFiles, type IdentityFolder } from './identity/file-source.ts';
export { type IdentityFailure, type IdentityFailureCode, isIdentityFailure } from './identity/identity-failure.ts';
export type { Identity, IdentitySource } from './identity/identity-source.ts';
export type { PeerIdentity } from './identity/peer-identity.ts';
export { parseSpiffeId, type SpiffeId } from './identity/spiffe-id.ts';
export { type Trust, trustOf } from './identity/trust.ts';
export { chainOf, type PeerChecks, verifyPeer } from './identity/verify-peer.ts';
export { workloadSource } from './identity/workload-source.ts';
export { systemClock, systemRandom } from './core/clock.ts';
