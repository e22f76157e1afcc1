// What the processes of a run tell each other. Pure types, and the size of the answer that every case fetches.

/** Bytes of every response body. */
export const BODY_BYTES = 1_024;

/** Where a case sends its calls. */
export interface Target {
  /** Ports of the endpoints on loopback; the last one is the small share of a weighted choice. */
  readonly ports: readonly number[];
}

/** To a client: make calls for a while. `leadInMs` come before, unmeasured, so that sockets and caches are warm. */
export interface RoundOrder {
  readonly concurrency: number;
  readonly leadInMs: number;
  readonly measureMs: number;
}

/** From a client, for one round. */
export interface RoundResult {
  readonly calls: number;
  readonly seconds: number;
  /** User and system time of the client process, garbage collector and compiler threads included. */
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** To a client started with `--expose-gc`: how many bytes does one call allocate? */
export interface HeapOrder {
  readonly heapCalls: number;
}

export interface HeapResult {
  readonly bytesPerCall: number;
}

export interface Ready {
  readonly ready: true;
}

/** From any child instead of a result: it cannot go on. */
export interface Failed {
  readonly failed: string;
}
