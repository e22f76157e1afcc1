// The serving end of the rotation rig, in a process of its own: a mesh that takes mTLS only, and is told by its parent which
// certificate to show from now on. Tells its port, that it has rotated, and in the end what it has seen.
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { IdentityMaterial } from '../../src/identity/identity-material.ts';
import { peerOf } from '../../src/inbound/peer-of.ts';
import { createServer } from '../../src/mesh/servers.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';

export interface ServerOrder {
  readonly maxConnectionAge: string;
}

/** How connections lived, and who came. */
export interface ServerSight {
  readonly served: number;
  /** Certificates of the client. */
  readonly generations: number;
  readonly connections: number;
  /** Longest life of a connection, ms. */
  readonly longestMs: number;
  /** Longest time that a connection lived after the next certificate was there, ms. */
  readonly outlivedMs: number;
  /** Connections that were not taken, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

export type ToServer =
  | { readonly order: ServerOrder; readonly material: IdentityMaterial }
  | { readonly material: IdentityMaterial }
  | 'end';
export type FromServer = { readonly port: number } | 'rotated' | ServerSight;

const identity = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });
const generations = new Set<string>();
const rotatedAtMs: number[] = [];
const sight = { served: 0, connections: 0, longestMs: 0, outlivedMs: 0 };
let end: (() => Promise<ServerSight>) | null = null;

function tell(message: FromServer): void {
  process.send?.(message);
}

function take(material: IdentityMaterial): void {
  if (!identity.offer(material)) throw identity.lastError ?? new Error('no identity');
}

function watch(socket: Socket): void {
  const openedAtMs = systemClock.now();
  const next = rotatedAtMs.length;
  sight.connections++;
  socket.on('close', () => {
    const nowMs = systemClock.now();
    sight.longestMs = Math.max(sight.longestMs, Math.round(nowMs - openedAtMs));
    const outdatedAtMs = rotatedAtMs[next];
    if (outdatedAtMs !== undefined) sight.outlivedMs = Math.max(sight.outlivedMs, Math.round(nowMs - outdatedAtMs));
  });
}

async function start({ maxConnectionAge }: ServerOrder): Promise<void> {
  const mesh = await createMesh({
    identity,
    config: { identity: { external: true }, services: {}, inbound: { mtls: 'strict', admission: false, limits: { maxConnectionAge } } },
  });
  const server = createServer(mesh, (request, response) => {
    const peer = peerOf(request);
    if (peer !== null) generations.add(peer.fingerprint);
    sight.served++;
    response.end(peer?.serviceAccount ?? 'nobody');
  });
  server.on('connection', watch);
  server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
  end = async () => {
    const { refused } = mesh.inbound.snapshot();
    await mesh.close({ drainMs: 1_000 });
    return { ...sight, generations: generations.size, refused };
  };
}

process.on('message', (message: ToServer) => {
  if (message === 'end') {
    void end?.().then((seen) => tell(seen));
    return;
  }
  if (end !== null) rotatedAtMs.push(systemClock.now());
  take(message.material);
  if ('order' in message) void start(message.order);
  else tell('rotated');
});
process.on('disconnect', () => process.exit());
