// The one place where TLS of callers ends. The verdict about the peer falls here, on every connection, before any parser has
// the socket: who is refused was never seen by the application. No resumption, because a resumed session shows the
// certificate of its first handshake. A rotation replaces everything at once; what cannot be used leaves the last good in force.
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { Identity, IdentitySource, Unsubscribe } from '../identity/identity-source.ts';
import { isIdentityFailure, type IdentityFailure } from '../identity/identity-failure.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import { type Trust, trustOf } from '../identity/trust.ts';
import { chainOf, verifyPeer } from '../identity/verify-peer.ts';
import type { Clock } from '../core/clock.ts';

export interface TerminatorDeps {
  readonly source: IdentitySource;
  readonly clock: Clock;
  /** @default none */
  readonly trustDomainAliases?: readonly string[];
  readonly minTls: '1.2' | '1.3';
  readonly handshakeMs: number;
  /** Whether HTTP/2 is offered beside HTTP/1.1. */
  readonly offersHttp2: boolean;
  /** A peer has proved who it is: the socket is the protocol's from now on. */
  readonly onPeer: (socket: TLSSocket, peer: PeerIdentity) => void;
  /** Nobody else sees the socket. `code` is ours, or that of the TLS library when there was no handshake. */
  readonly onRefused: (failure: { readonly code: string; readonly message: string }, socket: Socket) => void;
  /** An identity came that cannot be used. */
  readonly onUnusable: (error: Error) => void;
}

/** What Node must be told at every rotation: it forgets all that is not said again, the oldest version too. */
function contextOptions({ chain, key, bundles, crls }: Identity, minTls: TerminatorDeps['minTls']): SecureContextOptions {
  const roots = [...new Set([...bundles.values()].flat())];
  // An empty text or list would stand for the roots of the web.
  if (roots.length === 0) throw new Error('the identity trusts nobody: it has no roots');
  return {
    cert: chain.join('\n'),
    key,
    ca: roots,
    ...(crls.length === 0 ? {} : { crl: [...crls] }),
    minVersion: minTls === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionIdContext: 'inmesh',
  };
}

export class TlsTerminator {
  readonly #deps: TerminatorDeps;
  readonly #server: Server;
  readonly #unsubscribe: Unsubscribe;
  #trust: Trust | null = null;

  constructor(deps: TerminatorDeps) {
    this.#deps = deps;
    this.#server = createServer({
      requestCert: true,
      // The verdict is ours: Node's own gives no reason, and knows no trust domains.
      rejectUnauthorized: false,
      handshakeTimeout: deps.handshakeMs,
      ALPNProtocols: deps.offersHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    });
    this.#server.on('secureConnection', this.#judge);
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      socket.destroy();
      deps.onRefused({ code: error.code ?? 'ERR_TLS_HANDSHAKE', message: 'the TLS handshake failed' }, socket);
    });
    this.#unsubscribe = deps.source.subscribe(this.#rotate);
  }

  /** Whether there is an identity to show. */
  get isReady(): boolean {
    return this.#trust !== null;
  }

  /** From a socket whose first bytes are still unread. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  close(): void {
    this.#unsubscribe();
  }

  readonly #rotate = (identity: Identity): void => {
    try {
      const trust = trustOf(identity, this.#deps.trustDomainAliases);
      this.#server.setSecureContext(contextOptions(identity, this.#deps.minTls));
      this.#trust = trust;
    } catch (error) {
      this.#deps.onUnusable(error as Error);
    }
  };

  readonly #judge = (socket: TLSSocket): void => {
    const verdict = this.#verdict(socket);
    if (!isIdentityFailure(verdict)) {
      this.#deps.onPeer(socket, verdict);
      return;
    }
    socket.on('error', ignore);
    socket.destroy();
    this.#deps.onRefused(verdict, socket);
  };

  #verdict(socket: TLSSocket): PeerIdentity | IdentityFailure {
    const { clock } = this.#deps;
    const chain = chainOf(socket.getPeerCertificate(true));
    const checks = { trust: this.#trust as Trust, expected: null, side: 'client', isChainVerified: socket.authorized } as const;
    return verifyPeer(chain, checks, clock.wall());
  }
}

function ignore(): void {}
