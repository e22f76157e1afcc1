// `inmesh/server`: servers that know who calls, take no more than they can do, and whose handlers know how long their caller waits.
export type { CloseOnSignalsOptions } from './inbound/close-on-signals.ts';
export type { Listener } from './inbound/handler.ts';
export { signalOf } from './inbound/inbound-call.ts';
export type { MeshFastifyOptions } from './inbound/mesh-fastify.ts';
export { peerOf } from './inbound/peer-of.ts';
export type { ProtectOptions } from './inbound/protect.ts';
export { requestIdOf } from './inbound/request-id.ts';
export type { ServerMesh } from './inbound/server-host.ts';
export { withDeadline } from './inbound/server.ts';
export { admit, closeOnSignals, createServer, isReady, meshFastify, protect } from './mesh/servers.ts';
export type { PeerIdentity } from './identity/peer-identity.ts';
