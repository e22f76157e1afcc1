// The channels of one endpoint: one for each TLS name, made when first used, made anew when the certificate changes. A
// channel of grpc-js reconnects by itself; it must not retry, and must not share connections with other channels.
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import type { Call } from '../../core/call.ts';
import type { ClientTls } from '../../identity/tls-context.ts';
import type { ConnectionPolicy } from '../../model/destination.ts';
import type { Wire } from '../pool.ts';
import type { GrpcChannel, GrpcModule } from './grpc-js.ts';

/** The copy of grpc-js that a channel is made with, and options of the user for it. One object for all channels alike. */
export interface GrpcKit {
  readonly grpc: GrpcModule;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Line {
  readonly channel: GrpcChannel;
  /** What the channel answers as its peer before it has one. */
  readonly target: string;
  /** What was wrong with the certificate of the peer, '' when nothing was. */
  untrusted: string;
  readonly tls: ClientTls | null;
  /** Attempts that are not over. */
  attempts: number;
  /** No more attempts will come: it is closed with the last of them. */
  isRetired: boolean;
}

/** Of `grpc.connectivityState`. */
export const READY = 2;

/** Servers take more than one ping in five minutes for an attack, unless they say otherwise. Source: gRFC A8. */
const PING_MS = 300_000;
const PING_TIMEOUT_MS = 20_000;
/** The balancer knows whom to leave alone; who is asked should try, and not wait for up to two minutes. */
const RECONNECT_MS_MIN = 100;
const RECONNECT_MS_MAX = 2_000;

class Lines {
  readonly #byName: Map<string | undefined, Line> = new Map();

  get(name: string | undefined): Line | undefined {
    return this.#byName.get(name);
  }

  set(name: string | undefined, line: Line): void {
    const old = this.#byName.get(name);
    this.#byName.set(name, line);
    if (old !== undefined) retire(old);
  }

  close(): void {
    for (const line of this.#byName.values()) retire(line);
    this.#byName.clear();
  }
}

/** The channel for a call. Throws what grpc-js throws for options that are wrong. */
export function lineFor(call: Call, wire: Wire, kit: GrpcKit): Line {
  let lines = wire.lines.get(kit) as Lines | undefined;
  if (lines === undefined) {
    lines = new Lines();
    wire.lines.set(kit, lines);
  }
  const name = wire.serverNameOf(call);
  const tls = name === undefined ? null : wire.shared.tls;
  const known = lines.get(name);
  if (known !== undefined && known.tls === tls) return known;
  const line = newLine(wire, kit, name, tls);
  lines.set(name, line);
  return line;
}

/** Closing lets calls finish that have begun, but refuses those that still wait for the connection. */
function retire(line: Line): void {
  line.isRetired = true;
  if (line.attempts === 0) line.channel.close();
}

/** An attempt on the line is over. */
export function leaveLine(line: Line): void {
  line.attempts--;
  if (line.isRetired && line.attempts === 0) line.channel.close();
}

function newLine({ endpoint, shared }: Wire, { grpc, options }: GrpcKit, name: string | undefined, tls: ClientTls | null): Line {
  const { host, port } = endpoint;
  const address = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const onPeer = (error: Error | undefined): Error | undefined => {
    line.untrusted = error?.message ?? '';
    return error;
  };
  const credentials = tls === null ? grpc.credentials.createInsecure() : secure(grpc, tls, name as string, onPeer);
  const own = { ...lifeOf(shared.policy.connections), ...options, ...(name === undefined ? {} : namesOf(name)), ...ALWAYS };
  const channel = new grpc.Channel(address, credentials as never, own as never);
  const line: Line = { channel, target: channel.getTarget(), untrusted: '', tls, attempts: 0, isRetired: false };
  return line;
}

function secure(grpc: GrpcModule, tls: ClientTls, name: string, onPeer: (error: Error | undefined) => Error | undefined): object {
  const { connect, checkPeer } = tls;
  const rejects = connect.rejectUnauthorized !== false;
  return grpc.credentials.createFromSecureContext(connect.secureContext as NonNullable<typeof connect.secureContext>, {
    checkServerIdentity: (_host: string, peer: PeerCertificate) => onPeer(checkPeer(name, peer)),
    ...(rejects ? {} : { rejectUnauthorized: false }),
  });
}

const ALWAYS = Object.freeze({
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
});

/** Always both: an address is no name to verify, and Node 26 refuses it. */
function namesOf(name: string): Record<string, string> {
  return { 'grpc.ssl_target_name_override': name };
}

function lifeOf(connections: ConnectionPolicy | undefined): Record<string, number> {
  const { idleTimeoutMs, http2Ping } = connections ?? {};
  return {
    'grpc.keepalive_time_ms': http2Ping?.intervalMs ?? PING_MS,
    'grpc.keepalive_timeout_ms': http2Ping?.timeoutMs ?? PING_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS_MIN,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
    // Counts every call and message three times over; the mesh counts them already.
    'grpc.enable_channelz': 0,
    ...(idleTimeoutMs === undefined
      ? {}
      : { 'grpc.client_idle_timeout_ms': idleTimeoutMs === 0 ? IDLE_FOREVER_MS : Math.max(1_000, idleTimeoutMs) }),
  };
}

/** A timer of Node cannot be longer. */
const IDLE_FOREVER_MS = 2_147_483_647;

/** grpc-js gives only the text of a TLS error. Source: OpenSSL x509 verify errors, Node's checkServerIdentity. */
const UNTRUSTED = /certificate|self-signed|altname|INMESH_PEER_UNTRUSTED|peer shows/i;

/** Why the peer is not trusted, '' when that was not the trouble. */
export function untrustedReason(line: Line, details: string): string {
  if (line.tls === null) return '';
  if (line.untrusted !== '') return line.untrusted;
  return UNTRUSTED.test(details) ? details : '';
}
