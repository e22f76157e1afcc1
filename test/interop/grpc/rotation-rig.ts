// Rotation under load, for gRPC: both sides are of inmesh, both get new certificates every so often, every fourth time from a
// new root, connections are retired by their age, while unary calls and streams go on. Plain TypeScript, so
// that every version of Node can run it.
import { createRequire } from 'node:module';
import type * as Grpc from '@grpc/grpc-js';
import { systemClock } from '../../../src/core/clock.ts';
import { HeldIdentity } from '../../../src/identity/held-identity.ts';
import { peerOf } from '../../../src/inbound/grpc/rpc-peer.ts';
import { serve } from '../../../src/inbound/grpc/serve.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { Inbound } from '../../../src/mesh/inbound.ts';
import { grpcClient } from '../../../src/transport/grpc/grpc-client.ts';
import { after, Roots } from '../rotation-rig.ts';

export interface GrpcRotationOptions {
  readonly forMs: number;
  readonly everyMs: number;
  /** Loops of unary calls, and as many of streams. */
  readonly callers: number;
  /** Package to load grpc-js from. @default \@grpc/grpc-js */
  readonly grpcFrom?: string;
}

export interface GrpcRotationResult {
  readonly calls: number;
  readonly streams: number;
  readonly failures: readonly string[];
  readonly rotations: number;
  readonly roots: number;
  /** Certificates of the caller that handlers saw. */
  readonly generations: number;
  /** Calls whose caller was not who it should be. */
  readonly strangers: number;
}

const CLIENT = 'spiffe://a.test/ns/default/sa/productpage';
const SERVER = 'spiffe://a.test/ns/default/sa/reviews';
const MESSAGES = 5;
const AGE_MS = 700;

const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const ECHO = {
  unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...codec },
  both: { path: '/test.Echo/Both', requestStream: true, responseStream: true, ...codec },
};

interface Echo extends Grpc.Client {
  unary(message: Buffer, done: Grpc.requestCallback<Buffer>): void;
  both(): Grpc.ClientDuplexStream<Buffer, Buffer>;
}

function held(roots: Roots, spiffeId: string): { readonly identity: HeldIdentity; offer(): void } {
  const identity = new HeldIdentity({ clock: systemClock, random: () => 0, jitterMaxMs: 0 });
  return {
    identity,
    offer() {
      if (!identity.offer(roots.material(spiffeId))) throw identity.lastError ?? new Error('no identity');
    },
  };
}

/** Who called, and with which certificates. */
class Callers {
  readonly generations: Set<string> = new Set();
  strangers = 0;

  note(call: { readonly metadata: object }): void {
    const peer = peerOf(call);
    if (peer?.spiffeId === CLIENT) this.generations.add(peer.fingerprint);
    else this.strangers++;
  }
}

function echoServer(grpc: typeof Grpc, callers: Callers): Grpc.Server {
  const server = new grpc.Server();
  server.addService(ECHO, {
    unary: ((call, answer) => {
      callers.note(call);
      answer(null, call.request);
    }) satisfies Grpc.handleUnaryCall<Buffer, Buffer>,
    both: ((call) => {
      callers.note(call);
      call.on('error', () => {});
      call.on('data', (message: Buffer) => void call.write(message));
      call.on('end', () => call.end());
    }) satisfies Grpc.handleBidiStreamingCall<Buffer, Buffer>,
  });
  return server;
}

/** Says something, waits for the echo, and so on; rejects with the status when the stream breaks. */
async function talk(client: Echo): Promise<void> {
  const stream = client.both();
  const echoes = stream[Symbol.asyncIterator]();
  for (let i = 0; i < MESSAGES; i++) {
    stream.write(Buffer.from(String(i)));
    const { value } = (await echoes.next()) as IteratorResult<Buffer>;
    if (String(value) !== String(i)) throw new Error(`message ${i} came back as ${String(value)}`);
    await after(5);
  }
  stream.end();
  if ((await echoes.next()).done !== true) throw new Error('one message more than were sent');
}

export async function rotateGrpcUnderLoad(options: GrpcRotationOptions): Promise<GrpcRotationResult> {
  const { forMs, everyMs, callers: loops, grpcFrom = '@grpc/grpc-js' } = options;
  const grpc = createRequire(import.meta.url)(grpcFrom) as typeof Grpc;
  const roots = new Roots();
  const callers = new Callers();
  const [ours, theirs] = [held(roots, CLIENT), held(roots, SERVER)];
  ours.offer();
  theirs.offer();
  const strict = { mtls: 'strict', admission: null, limits: { connectionAgeMs: AGE_MS } } as const;
  const inbound = new Inbound({ mtls: 'strict', admission: null }, systemClock);
  inbound.update(strict as never, { identity: theirs.identity });
  const { port } = await serve({ clock: systemClock, inbound }, echoServer(grpc, callers), { host: '127.0.0.1', grpc });
  const mesh = await createMesh({
    identity: ours.identity,
    watch: false,
    config: {
      identity: { external: true },
      services: {
        // None of the calls may be made twice, so only what provably reached nobody is repeated, as in gRPC itself.
        reviews: { endpoints: [`127.0.0.1:${port}`], tls: { mode: 'mutual', subjectAltNames: [SERVER] } },
      },
    },
  });
  const EchoClient = grpc.makeGenericClientConstructor(ECHO, 'Echo') as unknown as new (...args: unknown[]) => Echo;
  const client = grpcClient(mesh, EchoClient, 'reviews', { grpc });

  const failures: string[] = [];
  const untilMs = systemClock.now() + forMs;
  const counts = { calls: 0, streams: 0, rotations: 0 };
  const loop = async (kind: 'calls' | 'streams', once: () => Promise<void>): Promise<void> => {
    while (systemClock.now() < untilMs) {
      counts[kind]++;
      await once().catch((error: Error) => failures.push(`${kind}: ${error.message}`));
    }
  };
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => client.unary(Buffer.from('x'), (error) => (error === null ? resolve() : reject(error))));
  const rotate = async (): Promise<void> => {
    for (await after(everyMs); systemClock.now() < untilMs; await after(everyMs)) {
      roots.step(++counts.rotations);
      // Whom to trust first, so that nobody meets a root that it does not know yet.
      theirs.offer();
      ours.offer();
    }
  };
  const work = Array.from({ length: loops }, () => [loop('calls', ask), loop('streams', () => talk(client))]).flat();
  await Promise.all([rotate(), ...work]);
  await mesh.close();
  await inbound.close(2_000);
  ours.identity.close();
  theirs.identity.close();
  const { generations, strangers } = callers;
  return { ...counts, failures, roots: roots.made, generations: generations.size, strangers };
}
