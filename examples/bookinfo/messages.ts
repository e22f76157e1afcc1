// What the processes of the demo say to each other over the channel that `fork` gives them.

export type Lane = 'plain' | 'inmesh';
export const LANES: readonly Lane[] = ['plain', 'inmesh'];

/** Both doors of a process: the same code behind them, called by plain fetch or through inmesh. 0: no such door. */
export type Doors = Readonly<Record<Lane, number>>;

/** How a service misbehaves: slower by so many ms, or this status at once. */
export interface Fault {
  readonly delayMs?: number;
  readonly status?: number;
}

/** What plain code has for a service mesh: a list of addresses, and who gets how much. */
export interface PlainTargets {
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly reviewsWeights: Readonly<Record<string, number>>;
}

/** A finished span, as much of it as the tree shows. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  /** The process that made it. */
  readonly process: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'other';
  /** Unix time, ms. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** gRPC calls that a process made. */
export interface RpcCounts {
  calls: number;
  /** Of streams. */
  messages: number;
  failed: number;
}

/** Calls that came in with one certificate; '' stands for none. */
export interface CallerCount {
  readonly spiffeId: string;
  readonly fingerprint: string;
  calls: number;
}

/** What a process has counted since it last told. */
export interface Counts {
  readonly rpcs: Readonly<Record<Lane, RpcCounts>>;
  readonly callers: readonly CallerCount[];
}

export type FromChild =
  | { readonly type: 'listening'; readonly doors: Doors }
  | { readonly type: 'spans'; readonly spans: readonly SpanRecord[] }
  | { readonly type: 'event'; readonly event: { readonly type: string } & Readonly<Record<string, unknown>> }
  | { readonly type: 'counts'; readonly counts: Counts }
  | { readonly type: 'trespassed'; readonly service: string; readonly answer: string };

export type ToChild =
  | { readonly type: 'fault'; readonly fault: Fault }
  | { readonly type: 'targets'; readonly targets: PlainTargets }
  | { readonly type: 'trespass' };

/** To the parent; nothing happens when it is gone. */
export function tell(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
