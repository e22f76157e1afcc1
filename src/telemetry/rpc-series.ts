// What is counted of gRPC calls by method and status. Methods come from the code of the application, so they are few; what is
// beyond the limit, or none of the server's, is one method without a name.
import type { Outcome } from '../core/call.ts';
import { GRPC_STATUSES } from '../model/grpc-status.ts';
import type { Family } from './family.ts';
import { rpcError, rpcMethod, rpcStatus } from './rpc-status.ts';
import * as name from './semconv.ts';
import type { Attributes, Histogram } from './series.ts';

const METHODS_MAX = 200;
const UNKNOWN = 2;

/** Labels of a series; the method is null where it has no name of its own. */
export type RpcLabels = (method: string | null, code: number) => Attributes;

/** By the RPC conventions. `service` is '' for calls that are served. */
export function rpcLabels(service: string): RpcLabels {
  return (method, code) => ({
    [name.RPC_SYSTEM_NAME]: 'grpc',
    [name.RPC_METHOD]: method ?? name.OTHER,
    [name.RPC_STATUS_CODE]: GRPC_STATUSES[code] as string,
    ...(service === '' ? {} : { [name.SERVER_ADDRESS]: service }),
    ...(code === 0 ? {} : { [name.ERROR_TYPE]: rpcError(code) }),
  });
}

/** One thing for each method, at most so many. */
export class ByMethod<T> {
  readonly #make: (method: string | null) => T;
  readonly #methods: Map<string, T> = new Map();
  #lastPath = '';
  #last: T | null = null;

  constructor(make: (method: string | null) => T) {
    this.#make = make;
  }

  /** `path`: `/pkg.Service/Method`, or '' for a method without a name. */
  of(path: string): T {
    return path === this.#lastPath && this.#last !== null ? this.#last : this.#find(path);
  }

  #find(path: string): T {
    const key = this.#methods.has(path) || this.#methods.size < METHODS_MAX ? path : '';
    let found = this.#methods.get(key);
    if (found === undefined) {
      found = this.#make(key === '' ? null : rpcMethod(key));
      this.#methods.set(key, found);
    }
    this.#lastPath = path;
    this.#last = found;
    return found;
  }
}

/** One histogram for each status. */
export class ByStatus {
  readonly #open: (code: number) => Histogram;
  readonly #byStatus: (Histogram | null)[] = new Array<null>(GRPC_STATUSES.length).fill(null);

  constructor(open: (code: number) => Histogram) {
    this.#open = open;
  }

  /** Counts one ending; gives the series it was counted in. */
  end(outcome: Outcome, durationMs: number): Histogram {
    const code = rpcStatus(outcome);
    const slot = code < GRPC_STATUSES.length ? code : UNKNOWN;
    const histogram = (this.#byStatus[slot] ??= this.#open(slot));
    histogram.record(durationMs);
    return histogram;
  }
}

/** Durations of calls as their callers see them. Made by the meter, one for each service, and one for calls that are served. */
export class RpcSeries {
  readonly #methods: ByMethod<ByStatus>;

  constructor(family: Family<Histogram>, labels: RpcLabels) {
    this.#methods = new ByMethod((method) => new ByStatus((code) => family.of(labels(method, code))));
  }

  /** Counts one call to `/pkg.Service/Method`; gives the series it was counted in. */
  end(path: string, outcome: Outcome, durationMs: number): Histogram {
    return this.#methods.of(path).end(outcome, durationMs);
  }
}
