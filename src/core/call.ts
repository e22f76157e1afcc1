// One logical call and its attempts. A call is one object per attempt: retry and hedging fork it. Slots have one
// writer each. Knows nothing of HTTP clients, policies or telemetry.
import type { MeshError } from './errors.ts';

/**
 * Answers one call. Resolves at the response head; rejects with a MeshError when there is no answer.
 * Has ended the call (`call.end`) before it rejects; a resolved reply ends the call at its last byte.
 */
export type Service = (call: Call) => Promise<Reply>;

/** Where an attempt goes: fulfilled by balance/, read by transport/ and telemetry/. */
export interface Endpoint {
  /** `host:port`, unique within its service. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  /** The stack below the balancer: in the end, the transport leaf. */
  readonly service: Service;
}

/** What the router decided. */
export interface RouteRef {
  readonly name: string;
  readonly service: string;
  /** Total time, ms. */
  readonly timeoutMs: number;
}

/** What the splitter decided. `subset` is '' for the whole service. */
export interface DestinationRef {
  readonly service: string;
  readonly subset: string;
  /** `service` or `service/subset`, for labels and messages. */
  readonly name: string;
}

/**
 * Bytes of a request. `replayable` says whether `open` may be called again; `open` gives what the transport takes.
 */
export interface Body {
  /** Bytes, or -1 when not known beforehand. */
  readonly length: number;
  readonly replayable: boolean;
  /** Whether two attempts may read it side by side, as of what is in memory. @default false */
  readonly shareable?: boolean;
  /** What the caller's own source threw while it was read; undefined when it did not. Nobody else is to blame for it. */
  readonly failure: unknown;
  /** The body for the next attempt. Throws when called again although not replayable. */
  open(): unknown;
  /** Gives back what was buffered, and lets go of the source. */
  release(): void;
  /** The same content for a second call at the same time; null when it cannot be had. @default as the transport knows its own bodies */
  copy?(): Body | null;
}

/** How a call travels that is more than a request and bytes. The leaf asks it instead of its own client. Written by the edge. */
export interface Carrier {
  readonly protocol: 'grpc';
  /** Sends one attempt over the wire to its endpoint. Keeps the contract of Service. */
  send(attempt: Call, wire: unknown): Promise<Reply>;
}

export type OutcomeKind = 'success' | 'failure' | 'ignored';

/** How a call or an attempt ended: exactly one for each. `ignored` counts for nobody (the caller went away, our own refusal of the peer's identity). */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** Status of the head, 0 when none came. */
  readonly status: number;
  readonly error: MeshError | null;
  /** Monotonic, ms. */
  readonly endedAtMs: number;
  /** The service refused the call before any work, because it has too much of it: it lives, and helps itself. Present only when true. */
  readonly isShed?: true;
  /** Of a gRPC call: what the server said, or what its failure comes to; then `status` is what that counts as. */
  readonly grpcStatus?: number;
}

export type EndListener = (call: Call, outcome: Outcome) => void;

/** Something that waits on behalf of a call and can be told to stop. */
export interface Cancelable {
  cancel(reason: unknown): void;
}

/** Receives a response body. `onData` returning false asks for a pause until `reply.resume()`. */
export interface Sink {
  onData(chunk: Uint8Array): boolean;
  onEnd(trailers: Record<string, string | string[]>): void;
  onError(error: unknown): void;
}

/** Receives heads of status 1xx, which precede the real one. */
export interface InformationalSink {
  onInformational(status: number, headers: ReplyHeaders, rawHeaders: unknown): void;
}

/** Lower-case names, as undici parses them. */
export type ReplyHeaders = Record<string, string | string[] | undefined>;

/** The head of an answer, and a handle on its body. Exactly one of `attach`, `discard` and `hold` is called. */
export interface Reply {
  readonly status: number;
  readonly statusText: string;
  headers: ReplyHeaders;
  /** The head as the transport gave it, or null when synthetic. */
  rawHeaders: unknown;
  /** Hands the body to its consumer; what has arrived meanwhile is delivered at once. */
  attach(sink: Sink): void;
  /** Stops the flow until `resume`. */
  pause(): void;
  resume(): void;
  /** Nobody wants the body: small ones are drained so that the socket lives on, others aborted. */
  discard(): void;
  /** Like `discard`, but keeps a small body, so that the reply can still be attached later. */
  hold(): void;
  /** Whether the body is at hand or still to come, i.e. `attach` would deliver all of it. */
  readonly intact: boolean;
  /** For `mesh.call`: what the function returned. For an upgrade: the socket. */
  readonly value?: unknown;
}

export interface CallInit {
  readonly scheme: string;
  /** Logical host with its port as the caller wrote it. */
  readonly authority: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Flat pairs: name, value, name, value. Owned by the call. */
  readonly headers: string[];
  readonly body: Body | null;
}

export class Call implements Cancelable {
  readonly scheme: string;
  /** Written by the edge; the route's rewrite replaces it. */
  authority: string;
  readonly method: string;
  /** Written by the edge; the route's rewrite replaces it. */
  path: string;
  /** Flat pairs, shared with the attempts: replaced as a whole, never edited. */
  headers: string[];
  readonly body: Body | null;
  /** Monotonic, ms. */
  startedAtMs: number;
  /** When the response head came; 0 before. Written by the leaf. */
  headAtMs = 0;
  /** Absolute, monotonic ms. Written by the deadline layer. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  /** When this attempt's head must be there, monotonic ms. Written by the retry layer. */
  attemptDeadlineMs: number = Number.POSITIVE_INFINITY;
  /** 0 on the logical call, then 1, 2, … */
  attempt = 0;
  readonly parent: Call | null;
  /** Written by the router. */
  route: RouteRef | null = null;
  /** Written by the splitter. */
  destination: DestinationRef | null = null;
  /** Written by the balancer. */
  endpoint: Endpoint | null = null;
  /** Endpoints that earlier attempts of the call used. Written by the retry layer, on the logical call. */
  tried: Endpoint[] | null = null;
  /** Why the last failure was not retried, for span and snapshot. Written by the retry layer, on the logical call. */
  retryDenied = '';
  /** Whether the caller allows repetition whatever the method. Written by the edge, or by the route. */
  idempotent = false;
  /** Index into CRITICALITIES, -1 when nobody has said. Written by the edge, or by the route. */
  criticality = -1;
  /** Per-call options of the edge; 0 means none. */
  timeoutMs = 0;
  /** The span of this call or attempt; opaque outside telemetry/. */
  span: unknown = null;
  /** Protocol that the caller wants to switch to, '' for none. Such a call has one attempt. Written by the edge. */
  upgrade = '';
  /** Receives 1xx heads; null when the edge has no use for them. */
  informational: InformationalSink | null = null;
  /** Options of the edge for the transport below, such as undici's `headersTimeout`; opaque in between. */
  transportOptions: unknown = null;
  /** null: plain HTTP. Written by the edge. */
  carrier: Carrier | null = null;
  /** What waits for the call right now; told by `cancel`. */
  pending: Cancelable | null = null;
  outcome: Outcome | null = null;
  canceled = false;
  cancelReason: unknown = undefined;
  /** The attempt whose outcome is the outcome of the call. */
  #committed = false;
  /** Three listeners have a field each: a call rarely has more, and the second push of an array takes 17 slots. */
  #first: EndListener | null = null;
  #second: EndListener | null = null;
  #third: EndListener | null = null;
  #more: EndListener[] | null = null;
  #controller: AbortController | null = null;

  constructor(init: CallInit, startedAtMs: number, parent: Call | null = null) {
    this.scheme = init.scheme;
    this.authority = init.authority;
    this.method = init.method;
    this.path = init.path;
    this.headers = init.headers;
    this.body = init.body;
    this.startedAtMs = startedAtMs;
    this.parent = parent;
  }

  /** The object of the next attempt. The caller of `fork` decides with `commit` which attempt answers for the call. */
  fork(attempt: number, nowMs: number): Call {
    const child = new Call(this, nowMs, this);
    child.attempt = attempt;
    child.deadlineMs = this.deadlineMs;
    child.route = this.route;
    child.destination = this.destination;
    child.idempotent = this.idempotent;
    child.criticality = this.criticality;
    child.upgrade = this.upgrade;
    child.informational = this.informational;
    child.transportOptions = this.transportOptions;
    child.carrier = this.carrier;
    this.pending = child;
    return child;
  }

  /** From now on the end of this attempt is the end of the call. */
  commit(): void {
    this.#committed = true;
    if (this.outcome !== null) this.parent?.end(this.outcome);
  }

  /** Runs once, when the call has ended. Listeners must not throw; they are shared functions, not closures, on the hot path. */
  onEnd(listener: EndListener): void {
    if (this.outcome !== null) listener(this, this.outcome);
    else if (this.#first === null) this.#first = listener;
    else if (this.#second === null) this.#second = listener;
    else if (this.#third === null) this.#third = listener;
    else if (this.#more === null) this.#more = [listener];
    else this.#more.push(listener);
  }

  /** The first outcome wins; later ones are ignored. */
  end(outcome: Outcome): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
    this.pending = null;
    const more = this.#more;
    // Innermost first, as the layers would unwind.
    if (more !== null) for (let i = more.length - 1; i >= 0; i--) (more[i] as EndListener)(this, outcome);
    this.#third?.(this, outcome);
    this.#second?.(this, outcome);
    this.#first?.(this, outcome);
    this.#first = null;
    this.#second = null;
    this.#third = null;
    this.#more = null;
    this.informational = null;
    if (this.#committed) this.parent?.end(outcome);
  }

  /** The caller is gone, or a timer of ours ran out. Reaches whatever waits for the call; it ends there. */
  cancel(reason: unknown): void {
    if (this.canceled || this.outcome !== null) return;
    this.canceled = true;
    this.cancelReason = reason;
    this.#controller?.abort(reason);
    this.pending?.cancel(reason);
  }

  /** Aborts the signal, if anybody asked for one, without ending anything: the attempt has failed already. */
  abortSignal(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  /** Made when somebody asks: aborted when the call is canceled, never after success. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.canceled) this.#controller.abort(this.cancelReason);
    }
    return this.#controller.signal;
  }

  /** First value of a header, by lower-case name. */
  header(name: string): string | undefined {
    return headerOf(this.headers, name);
  }
}

/** First value in flat pairs, by lower-case name. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const key = headers[i] as string;
    if (key.length === name.length && (key === name || key.toLowerCase() === name)) return headers[i + 1];
  }
  return undefined;
}
