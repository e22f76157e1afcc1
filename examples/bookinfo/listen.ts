// A server on loopback, at a port or at any.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Longer than the story: a socket that a server closes while a call is on its way to it would be a trouble of its own. */
const KEEP_ALIVE_MS = 120_000;

/** Resolves with the port. */
export function listen(server: Server, port: number): Promise<number> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
