// Durations of gRPC calls as their callers see them, by method and status, under the name that the RPC conventions give them.
// Methods come from the code of the application, so they are few; what is beyond the limit is `_OTHER`.
import type { Outcome } from '../core/call.ts';
import { GRPC_STATUSES } from '../model/grpc-status.ts';
import type { Family } from './family.ts';
import { rpcError, rpcMethod, rpcStatus } from './rpc-status.ts';
import * as name from './semconv.ts';
import type { Histogram } from './series.ts';

const METHODS_MAX = 200;

class MethodSeries {
  readonly #family: Family<Histogram>;
  readonly #service: string;
  readonly #method: string;
  /** By status. */
  readonly #byStatus: (Histogram | null)[] = new Array<null>(GRPC_STATUSES.length).fill(null);

  constructor(family: Family<Histogram>, service: string, method: string) {
    this.#family = family;
    this.#service = service;
    this.#method = method;
  }

  of(code: number): Histogram {
    const slot = code < GRPC_STATUSES.length ? code : UNKNOWN;
    const known = this.#byStatus[slot];
    if (known !== null && known !== undefined) return known;
    const status = GRPC_STATUSES[slot] as string;
    const histogram = this.#family.of({
      [name.RPC_SYSTEM_NAME]: 'grpc',
      [name.RPC_METHOD]: this.#method,
      [name.RPC_STATUS_CODE]: status,
      ...(this.#service === '' ? {} : { [name.SERVER_ADDRESS]: this.#service }),
      ...(slot === 0 ? {} : { [name.ERROR_TYPE]: rpcError(slot) }),
    });
    this.#byStatus[slot] = histogram;
    return histogram;
  }
}

const UNKNOWN = 2;

/** Made by the meter, one for each service; that of calls which are served has none, ''. */
export class RpcSeries {
  readonly #family: Family<Histogram>;
  readonly #service: string;
  readonly #methods: Map<string, MethodSeries> = new Map();
  #lastPath = '';
  #last: MethodSeries | null = null;

  constructor(family: Family<Histogram>, service: string) {
    this.#family = family;
    this.#service = service;
  }

  /** Counts one call to `/pkg.Service/Method`; gives the series it was counted in. */
  end(path: string, outcome: Outcome, durationMs: number): Histogram {
    const series = path === this.#lastPath && this.#last !== null ? this.#last : this.#method(path);
    const histogram = series.of(rpcStatus(outcome));
    histogram.record(durationMs);
    return histogram;
  }

  #method(path: string): MethodSeries {
    const key = this.#methods.has(path) || this.#methods.size < METHODS_MAX ? path : '';
    let series = this.#methods.get(key);
    if (series === undefined) {
      series = new MethodSeries(this.#family, this.#service, key === '' ? name.OTHER : rpcMethod(key));
      this.#methods.set(key, series);
    }
    this.#lastPath = path;
    this.#last = series;
    return series;
  }
}
