// A server on a free port of this machine, for the examples. Not part of inmesh.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TinyServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  close(): void;
}

export async function tinyServer(listener: RequestListener): Promise<TinyServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Answers every call with this text. */
export function text(body: string): RequestListener {
  return (_request, response) => response.end(body);
}

/** Answers every call with this status and no body. */
export function status(code: number): RequestListener {
  return (_request, response) => response.writeHead(code).end();
}
