// One gRPC call as grpc-js sees it, and as the mesh does: a Call with POST and the method's path, whose attempts travel by
// this carrier. Holds back nothing but what an attempt may still take back; tells the caller everything in order, once.
import { Call, type Carrier, type Reply } from '../../core/call.ts';
import { MeshError, meshError } from '../../core/errors.ts';
import { grpcStatusIn, grpcStatusOfHttp } from '../../core/grpc-status.ts';
import { ERROR_HEADER, GRPC_STATUS_HEADER } from '../../core/headers.ts';
import type { Origin, Outbound } from '../outbound.ts';
import type { Wire } from '../pool.ts';
import type { GrpcKit } from './endpoint-line.ts';
import type { AttemptSource } from './attempt-metadata.ts';
import { type AnswerListener, GrpcAttempt } from './grpc-attempt.ts';
import { grpcStatusOfError, isStatus } from './grpc-failure.ts';
import type { Cloneable, GrpcCall, Listener, MessageContext, Metadata, ParentCall, StatusObject } from './grpc-js.ts';
import { LOG_BYTES_MAX, MessageLog } from './message-log.ts';
import { emptyLike, metadataOfHeaders, pairsOf } from './metadata-pairs.ts';

/** What the calls of one channel share. */
export interface RpcDeps {
  readonly outbound: Outbound;
  readonly kit: GrpcKit;
  /** `scheme://host[:port]` of the service. */
  readonly origin: string;
  /** Whether the method may reach the application twice. */
  readonly isIdempotent: (method: string) => boolean;
}

const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const OK = 0;
/** Of `grpc.propagate`. */
const PROPAGATE_DEADLINE = 1;
const PROPAGATE_CANCELLATION = 8;

let lastNumber = 0;

export class MeshRpc implements GrpcCall, Carrier, AnswerListener, AttemptSource {
  readonly host: string | null;
  pairs: readonly string[] = [];
  credentials: object | null = null;
  wantsMessage = false;
  readonly #deps: RpcDeps;
  readonly #method: string;
  /** Unix time, ms; Infinity: none of the caller's own. */
  #deadline: number;
  /** Whose end is the end of this call, null when there is nobody. */
  #parent: ParentCall | null = null;
  #origin: Origin | null = null;
  readonly #number: number = ++lastNumber;
  #metadata: Metadata | null = null;
  #isMetadataTaken = false;
  #listener: Listener | null = null;
  #log: MessageLog | null = null;
  #call: Call | null = null;
  /** The attempt that answers for the call. */
  #answer: GrpcAttempt | null = null;
  #isOver = false;

  constructor(deps: RpcDeps, method: string, deadline: number, host: string | null) {
    this.#deps = deps;
    this.#method = method;
    this.#deadline = deadline;
    this.host = host;
  }

  /** From the call that is being served, as `grpc.propagate` in `flags` says. */
  inherit(parent: ParentCall, flags: number): void {
    if ((flags & PROPAGATE_DEADLINE) !== 0) this.#deadline = Math.min(this.#deadline, Number(parent.getDeadline()));
    if ((flags & PROPAGATE_CANCELLATION) !== 0) this.#parent = parent;
  }

  // What the client calls.

  start(metadata: Cloneable, listener: Listener): void {
    this.#metadata = metadata.clone();
    this.#listener = listener;
    const { origin, outbound } = this.#deps;
    const found = outbound.origin(origin);
    this.#log = new MessageLog(found === null ? LOG_BYTES_MAX : Math.max(LOG_BYTES_MAX, found.bodyBytesMax));
    this.#origin = found;
    // A client that has one message says all before it waits: then the whole call is known when it is routed.
    process.nextTick(begin, this);
  }

  sendMessageWithContext({ callback, flags }: MessageContext, message: Buffer): void {
    if (this.#isOver) callback?.();
    else this.#log?.append(message, flags, callback);
  }

  startRead(): void {
    if (this.#isOver) return;
    if (this.#answer !== null) {
      this.#answer.startRead();
      return;
    }
    this.wantsMessage = true;
    this.#log?.startRead();
  }

  halfClose(): void {
    if (!this.#isOver) this.#log?.close();
  }

  cancelWithStatus(status: number, details: string): void {
    if (this.#isOver) return;
    this.#call?.cancel(new Error(details));
    this.#endLater({ code: status, details, metadata: this.#empty() });
  }

  setCredentials(credentials: object): void {
    this.credentials = credentials;
  }

  getPeer(): string {
    return this.#answer?.peer ?? this.#deps.origin;
  }

  getCallNumber(): number {
    return this.#number;
  }

  getAuthContext(): unknown {
    return this.#answer?.inner?.getAuthContext?.() ?? null;
  }

  // What the mesh calls.

  get protocol(): 'grpc' {
    return 'grpc';
  }

  get kit(): GrpcKit {
    return this.#deps.kit;
  }

  get metadata(): Metadata {
    return this.#metadata as Metadata;
  }

  takeMetadata(): Metadata {
    if (this.#isMetadataTaken) return this.metadata.clone();
    this.#isMetadataTaken = true;
    return this.metadata;
  }

  send(attempt: Call, wire: unknown): Promise<Reply> {
    const isCopy = attempt.body !== this.#log;
    return new GrpcAttempt(attempt, wire as Wire).send(isCopy ? new CopySource(this) : this);
  }

  /** @internal */
  begin(): void {
    if (this.#isOver) return;
    const origin = this.#origin;
    const { outbound } = this.#deps;
    if (origin === null || outbound.isClosed) {
      const init = outbound.isClosed
        ? ({ code: 'closed', message: 'the mesh is closed' } as const)
        : ({ code: 'unknown_host', message: `no service names ${this.#deps.origin}` } as const);
      this.#end(this.#statusOfError(meshError(init)));
      return;
    }
    const timeoutMs = this.#timeoutMs();
    if (timeoutMs < 0) {
      this.#end({ code: DEADLINE_EXCEEDED, details: 'Deadline exceeded before the call began', metadata: this.#empty() });
      return;
    }
    const method = this.#method;
    const headers = pairsOf(this.metadata);
    const { scheme, authority } = origin;
    const call = new Call({ scheme, authority, method: 'POST', path: method, headers, body: this.#log }, outbound.clock.now());
    this.pairs = headers;
    this.#call = call;
    call.carrier = this;
    call.timeoutMs = timeoutMs;
    call.idempotent = this.#deps.isIdempotent(method);
    this.#parent?.on('cancelled', () => this.cancelWithStatus(CANCELLED, 'Cancelled by parent call'));
    origin.service(call).then(this.#onReply, this.#onError);
  }

  /** 0: none of the caller's own; negative: over. */
  #timeoutMs(): number {
    const deadline = this.#deadline;
    if (deadline === Number.POSITIVE_INFINITY) return 0;
    const leftMs = deadline - this.#deps.outbound.clock.wall();
    return leftMs > 0 ? leftMs : -1;
  }

  readonly #onReply = (reply: Reply): void => {
    if (this.#isOver) {
      reply.discard();
      return;
    }
    if (!(reply instanceof GrpcAttempt)) {
      this.#end(this.#statusOfReply(reply));
      return;
    }
    this.#answer = reply;
    reply.listen(this);
    this.#log?.release();
    this.#tell(reply);
  };

  readonly #onError = (error: unknown): void => {
    this.#end(this.#statusOfError(error));
  };

  /** What has come before anybody listened. */
  #tell(answer: GrpcAttempt): void {
    const { metadata, first, final, failed, areHeadersChanged } = answer;
    if (metadata !== null && !(final !== null && final.code !== OK && areHeadersChanged)) {
      this.#listener?.onReceiveMetadata(areHeadersChanged ? metadataOfHeaders(answer.headers, metadata) : metadata);
    }
    if (first !== null) {
      this.wantsMessage = false;
      this.#listener?.onReceiveMessage(first);
    }
    if (failed !== null) this.onFailure(failed);
    else if (final !== null) this.#end(final);
  }

  // What the answer tells.

  onReceiveMetadata(metadata: Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: Buffer): void {
    this.#listener?.onReceiveMessage(message);
  }

  onReceiveStatus(status: StatusObject): void {
    this.#end(status);
  }

  onFailure(error: MeshError): void {
    const { cause } = error;
    this.#end(isStatus(cause) ? cause : this.#statusOfError(error));
  }

  /** As grpc-js does for what happens within a call of the client: he has the call object by then. */
  #endLater(status: StatusObject): void {
    const listener = this.#close();
    if (listener !== null) process.nextTick(() => listener.onReceiveStatus(status));
  }

  #end(status: StatusObject): void {
    this.#close()?.onReceiveStatus(status);
  }

  #close(): Listener | null {
    const listener = this.#listener;
    this.#isOver = true;
    this.#listener = null;
    this.#log?.finish();
    return listener;
  }

  #empty(): Metadata {
    return emptyLike(this.metadata);
  }

  /** The error is there as `cause` of the ServiceError, its code in the trailers. */
  #statusOfError(thrown: unknown): StatusObject & { readonly cause: unknown } {
    const error = thrown instanceof MeshError ? thrown : meshError({ code: 'call_failed', message: 'a layer threw', cause: thrown });
    const metadata = this.#empty();
    metadata.set(ERROR_HEADER, error.code);
    return { code: grpcStatusOfError(error), details: error.message, metadata, cause: error };
  }

  /** An answer that no endpoint gave: a fault, a direct response, a fallback. */
  #statusOfReply(reply: Reply): StatusObject {
    const { status, headers } = reply;
    const code = grpcStatusIn(headers[GRPC_STATUS_HEADER]);
    const message = headers['grpc-message'];
    reply.discard();
    return {
      code: code >= 0 ? code : grpcStatusOfHttp(status),
      details: typeof message === 'string' ? decoded(message) : `answered by the mesh with HTTP status ${status}`,
      metadata: this.#empty(),
    };
  }
}

/** Shared, so that no call makes a closure; a microtask of Node costs five times as much. */
function begin(rpc: MeshRpc): void {
  rpc.begin();
}

/** A copy wants its answer at once, to forget it. */
class CopySource implements AttemptSource {
  readonly kit: GrpcKit;
  readonly metadata: Metadata;
  readonly pairs: readonly string[];
  readonly host = null;
  readonly credentials: object | null;
  readonly wantsMessage = true;

  constructor({ kit, metadata, pairs, credentials }: MeshRpc) {
    this.kit = kit;
    this.metadata = metadata;
    this.pairs = pairs;
    this.credentials = credentials;
  }

  takeMetadata(): Metadata {
    return this.metadata.clone();
  }
}

/** Source: gRPC over HTTP/2, percent-encoded status message. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
