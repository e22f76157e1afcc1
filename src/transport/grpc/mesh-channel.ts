// A Channel of grpc-js whose calls go through the stacks of a mesh: given as `channelOverride`, it serves generated clients,
// nice-grpc and NestJS. It has no connection of its own; each endpoint has its channel, made when it is first called.
import type { Outbound } from '../outbound.ts';
import type { GrpcKit } from './endpoint-line.ts';
import { type GrpcCall, type GrpcChannel, type GrpcModule, loadGrpc, type ParentCall } from './grpc-js.ts';
import { MeshRpc, type RpcDeps } from './mesh-rpc.ts';

export interface ChannelInit {
  /** Your copy of grpc-js. @default the one that is installed beside inmesh */
  readonly grpc?: unknown;
  /** Options of grpc-js for the channel of every endpoint, such as `grpc.max_receive_message_length`. @default none */
  readonly channelOptions?: Readonly<Record<string, unknown>>;
  /** Whether calls may reach the application twice: all, none, or by full method name. @default what the `.proto` says, where it is known */
  readonly idempotent?: boolean | ((method: string) => boolean);
}

/** One for all channels without options, so that they share the connections of an endpoint. */
const kits: WeakMap<GrpcModule, GrpcKit> = new WeakMap();
const NO_OPTIONS = Object.freeze({});

function kitOf(grpc: GrpcModule, options: Readonly<Record<string, unknown>> | undefined): GrpcKit {
  if (options !== undefined) return { grpc, options };
  let kit = kits.get(grpc);
  if (kit === undefined) {
    kit = { grpc, options: NO_OPTIONS };
    kits.set(grpc, kit);
  }
  return kit;
}

/** `reviews`, `reviews:8080`, `https://reviews`, `dns:///reviews:8080`. */
export function originOf(target: string): string {
  if (/^https?:\/\//.test(target)) return target.replace(/\/+$/, '');
  return `http://${target.replace(/^[a-z]+:(?:\/\/[^/]*\/|(?=\D))/, '')}`;
}

/** Of `grpc.connectivityState`: the mesh is always ready to try. */
const READY = 2;
const SHUTDOWN = 4;
/** Of `grpc.propagate`, all of them. */
const PROPAGATE_DEFAULTS = 0xffff;

class MeshChannel implements GrpcChannel {
  readonly #deps: RpcDeps;
  readonly #target: string;
  #isClosed = false;

  constructor(target: string, deps: RpcDeps) {
    this.#target = target;
    this.#deps = deps;
  }

  createCall(method: string, deadline: Date | number, host?: string | null, parent?: ParentCall | null, flags?: number | null): GrpcCall {
    if (this.#isClosed) throw new Error('Channel has been shut down');
    const rpc = new MeshRpc(this.#deps, method, typeof deadline === 'number' ? deadline : deadline.getTime(), host ?? null);
    if (parent !== null && parent !== undefined) rpc.inherit(parent, flags ?? PROPAGATE_DEFAULTS);
    return rpc;
  }

  /** The connections belong to the mesh and stay. */
  close(): void {
    this.#isClosed = true;
  }

  getTarget(): string {
    return this.#target;
  }

  getConnectivityState(): number {
    return this.#isClosed || this.#deps.outbound.isClosed ? SHUTDOWN : READY;
  }

  /** The state changes only when somebody closes the channel. */
  watchConnectivityState(state: number, _deadline: Date | number, callback: (error?: Error) => void): void {
    if (state === this.getConnectivityState()) return;
    process.nextTick(callback);
  }

  getChannelzRef(): { kind: string; id: number; name: string } {
    return { kind: 'channel', id: 0, name: this.#target };
  }
}

export function meshChannel(outbound: Outbound, target: string, init: ChannelInit = {}): GrpcChannel {
  const { idempotent = false } = init;
  return new MeshChannel(target, {
    outbound,
    kit: kitOf((init.grpc as GrpcModule | undefined) ?? loadGrpc(), init.channelOptions),
    origin: originOf(target),
    isIdempotent: typeof idempotent === 'function' ? idempotent : () => idempotent,
  });
}
