// `inmesh/server`: servers that take no more than they can do, and whose handlers know how long their caller waits.
export type { Listener } from './inbound/handler.ts';
export { signalOf } from './inbound/inbound-call.ts';
export { admit, createServer, type ServerMesh, withDeadline } from './inbound/server.ts';
