// `inmesh/server`: servers whose handlers know how long their caller waits.
export { createServer, type Listener, type ServerMesh, withDeadline } from './inbound/server.ts';
