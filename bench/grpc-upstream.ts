// The far side of the gRPC cases: a child process with a server of grpc-js that echoes. Sends its port to its parent, and what
// it has used of the processor whenever it is asked.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { BYTES_UNARY } from './grpc-service.ts';

const server = new Server();
server.addService(BYTES_UNARY, {
  unary: (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) => callback(null, call.request),
});
process.on('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  process.send?.(error === null ? { ports: [port] } : { failed: error.message });
});
