// From a new socket to the protocol that reads it: how many may come, what is spoken, whether it may be, who it is. Before all
// of that nothing parses a byte. Serves one listening server; what its connections lead to is handed in.
// Source: Istio PeerAuthentication (STRICT, PERMISSIVE, DISABLE on one port).
import type { Socket } from 'node:net';
import { type Clock, type Random, Timer } from '../core/clock.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { PeerMode } from '../model/security.ts';
import type { ServerLimits } from '../model/server-limits.ts';
import { closeAfter } from './answer.ts';
import { type Connection, plainConnection, setConnection } from './connection.ts';
import { type FirstBytes, look } from './first-bytes.ts';
import { TlsTerminator } from './tls-terminator.ts';

/** Why a connection was not taken. `plain_refused`: it came without TLS where only mTLS may. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  /** Address of the caller, '' when it had gone. */
  readonly address: string;
}

/** What a mesh decides about the connections of its servers. Read anew for every one. */
export interface EntranceHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ServerLimits;
  readonly minTls: '1.2' | '1.3';
  /** null: there is no TLS. */
  readonly identity: IdentitySource | null;
  readonly trustDomainAliases: readonly string[];
  modeOn(port: number): Exclude<PeerMode, 'unset'>;
  isTrusted(peer: PeerIdentity | null, address: string): boolean;
  onRefused(refusal: Refusal): void;
  /** An identity came that cannot be used; the last one stays in force. */
  onUnusable(error: Error): void;
}

/** Where connections lead. */
export interface Protocols {
  http1(socket: Socket): void;
  /** null: HTTP/2 is not spoken. `retire` ends a connection gracefully. */
  readonly http2: (() => { take(socket: Socket, connection: Connection): void; retire(socket: Socket): void } | null) | null;
}

/** ± of the age of a connection, so that those of one moment do not end in one moment. */
const AGE_SPREAD = 0.1;

class Age extends Timer {
  readonly #connection: Connection;
  readonly #retire: (() => void) | null;

  constructor(connection: Connection, retire: (() => void) | null) {
    super();
    this.#connection = connection;
    this.#retire = retire;
  }

  fire(): void {
    const connection = this.#connection;
    connection.isOld = true;
    // HTTP/1 has no word of its own: the answer under way says it, else the next one; an idle connection ends by its timeout.
    if (this.#retire !== null) this.#retire();
    else if (connection.active > 0 && connection.response !== null) closeAfter(connection.response);
  }
}

export class Entrance {
  readonly #host: EntranceHost;
  readonly #protocols: Protocols;
  readonly #sockets: Set<Socket> = new Set();
  /** Not yet with a protocol. */
  readonly #waiting: Set<Socket> = new Set();
  readonly #byAddress: Map<string, number> = new Map();
  /** By their four numbers: the socket that TLS gives does not say whose it is. */
  readonly #shakingHands: Map<string, Socket> = new Map();
  #terminator: TlsTerminator | null = null;
  #terminatorKey: unknown[] = [];

  constructor(host: EntranceHost, protocols: Protocols) {
    this.#host = host;
    this.#protocols = protocols;
  }

  /** A new connection. */
  readonly take = (socket: Socket): void => {
    // From the first moment: an error that nobody listens for ends the process.
    socket.on('error', ignore);
    const { limits, clock, identity } = this.#host;
    if (!this.#count(socket, limits.maxConnectionsPerAddress)) return;
    const wanted = this.#host.modeOn(socket.localPort ?? 0);
    const mode = identity === null && wanted === 'permissive' ? 'disable' : wanted;
    this.#waiting.add(socket);
    // A plain server has the timer of its parser, but only behind this place.
    const waitMs = mode === 'disable' ? limits.headersMs : limits.firstByteMs;
    const dueMs = waitMs === 0 ? Number.POSITIVE_INFINITY : clock.now() + waitMs;
    look(socket, clock, dueMs, (kind) => this.#known(socket, kind, mode));
  };

  /** Connections that no protocol knows yet: nothing is lost with them. */
  dropWaiting(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  cutOff(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#terminator?.close();
    this.#terminator = null;
    this.#terminatorKey = [];
  }

  #count(socket: Socket, perAddressMax: number): boolean {
    const address = socket.remoteAddress ?? '';
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    if (perAddressMax > 0 && count > perAddressMax) {
      socket.destroy();
      this.#host.onRefused({ code: 'too_many_connections', message: `more than ${perAddressMax} connections from one address`, address });
      return false;
    }
    this.#byAddress.set(address, count);
    this.#sockets.add(socket);
    const ports = portsOf(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#waiting.delete(socket);
      if (this.#shakingHands.get(ports) === socket) this.#shakingHands.delete(ports);
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, left);
    });
    return true;
  }

  #known(socket: Socket, kind: FirstBytes, mode: Exclude<PeerMode, 'unset'>): void {
    if (kind === 'tls') {
      if (mode === 'disable') this.#refuse(socket, 'tls_refused', 'TLS came to a port that takes plain connections only');
      else this.#takeTls(socket);
      return;
    }
    if (mode === 'strict') {
      this.#refuse(socket, 'plain_refused', 'a plain connection came to a port that takes mTLS only');
      return;
    }
    this.#waiting.delete(socket);
    const address = socket.remoteAddress ?? '';
    this.#lead(socket, kind === 'h2c', plainConnection(this.#host.isTrusted(null, address)));
  }

  #takeTls(socket: Socket): void {
    const terminator = this.#currentTerminator();
    // TLS says itself when a caller has finished; a plain end in the middle of it is an end.
    socket.allowHalfOpen = false;
    if (terminator?.isReady === true) {
      this.#shakingHands.set(portsOf(socket), socket);
      terminator.take(socket);
    } else this.#refuse(socket, 'identity_missing', 'this process has no certificate to show yet');
  }

  /** Reset, so that the caller is not left in doubt whether an answer got lost. */
  #refuse(socket: Socket, code: string, message: string): void {
    const address = socket.remoteAddress ?? '';
    socket.resetAndDestroy();
    this.#host.onRefused({ code, message, address });
  }

  #lead(socket: Socket, isHttp2: boolean, connection: Connection): void {
    setConnection(socket, connection);
    const http2 = isHttp2 ? (this.#protocols.http2?.() ?? null) : null;
    if (isHttp2 && http2 === null) {
      this.#refuse(socket, 'http2_refused', 'HTTP/2 came to a server that does not speak it');
      return;
    }
    if (connection.isTls) this.#limitAge(socket, connection, http2 === null ? null : () => http2.retire(socket));
    if (http2 === null) {
      this.#protocols.http1(socket);
      return;
    }
    // As node:http2 has it for sockets of its own: who has nothing more to say has left.
    socket.allowHalfOpen = false;
    http2.take(socket, connection);
  }

  #limitAge(socket: Socket, connection: Connection, retire: (() => void) | null): void {
    const { limits, clock, random } = this.#host;
    if (limits.connectionAgeMs === 0) return;
    const ageMs = limits.connectionAgeMs * (1 - AGE_SPREAD + 2 * AGE_SPREAD * random());
    const age = new Age(connection, retire);
    clock.arm(age, clock.now() + ageMs);
    socket.on('close', () => clock.disarm(age));
  }

  /** Made anew when what it was made of has changed. */
  #currentTerminator(): TlsTerminator | null {
    const { identity, minTls, limits, trustDomainAliases, clock } = this.#host;
    if (identity === null) return null;
    const offersHttp2 = (this.#protocols.http2?.() ?? null) !== null;
    const key = [identity, minTls, limits.handshakeMs, trustDomainAliases, offersHttp2];
    if (this.#terminator !== null && key.every((part, i) => part === this.#terminatorKey[i])) return this.#terminator;
    this.#terminator?.close();
    this.#terminatorKey = key;
    this.#terminator = new TlsTerminator({
      source: identity,
      clock,
      minTls,
      trustDomainAliases,
      handshakeMs: limits.handshakeMs,
      offersHttp2,
      onPeer: (socket, peer) => {
        const ports = portsOf(socket);
        this.#waiting.delete(this.#shakingHands.get(ports) as Socket);
        this.#shakingHands.delete(ports);
        const address = socket.remoteAddress ?? '';
        const { servername: asked } = socket as { readonly servername?: string | false };
        const serverName = typeof asked === 'string' ? asked : '';
        const isTrusted = this.#host.isTrusted(peer, address);
        this.#lead(socket, socket.alpnProtocol === 'h2', { ...plainConnection(isTrusted), peer, isTls: true, serverName });
      },
      onRefused: ({ code, message }, socket) => this.#host.onRefused({ code, message, address: socket.remoteAddress ?? '' }),
      onUnusable: (error) => this.#host.onUnusable(error),
    });
    return this.#terminator;
  }
}

function portsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function ignore(): void {}
