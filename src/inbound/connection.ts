// What is known of the connection that a request came on: who is at its other end, by TLS alone. Kept on the socket under a
// symbol that nothing from the network can name; the socket that node:http2 shows for a session leads to the same place.
import type { ServerResponse } from 'node:http';
import type { PeerIdentity } from '../identity/peer-identity.ts';

export interface Connection {
  /** null: plain text, or TLS that was not ours. */
  readonly peer: PeerIdentity | null;
  /** Whether it was we who ended TLS. */
  readonly isTls: boolean;
  /** Name that the caller asked for in its TLS handshake (SNI); '' when none. Control characters are possible: encode it before you print it. */
  readonly serverName: string;
  /** Whether what the caller says about others is believed. */
  readonly isTrusted: boolean;
  /** Calls under way. */
  active: number;
  /** Its time is over: the next answer is its last. */
  isOld: boolean;
  /** The newest answer on an HTTP/1 connection. */
  response: ServerResponse | null;
  /** How a connection that is old ends when it has nothing to do; null: Node's keep-alive timeout ends it. */
  readonly onIdle: (() => void) | null;
}

const CONNECTION = Symbol('inmesh.connection');

interface Tagged {
  [CONNECTION]?: Connection;
}

export function plainConnection(isTrusted: boolean): Connection {
  return { peer: null, isTls: false, serverName: '', isTrusted, active: 0, isOld: false, response: null, onIdle: null };
}

export function setConnection(socket: object, connection: Connection): void {
  (socket as Tagged)[CONNECTION] = connection;
}

/** undefined: it did not come through an entrance of ours. */
export function connectionOf(socket: object): Connection | undefined {
  return (socket as Tagged)[CONNECTION];
}
