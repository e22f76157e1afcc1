// The other end of the gRPC bench, in a process of its own: echoes, and tells its port to whoever forked it.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { BYTES_UNARY } from './grpc-service.ts';

const server = new Server();
server.addService(BYTES_UNARY, {
  unary: (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) => callback(null, call.request),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.send?.(port);
});
process.on('disconnect', () => process.exit());
