// The endpoints that a call may go to, worked out again only when the set or somebody's standing changed, so that the
// call path reads a ready array.
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet, Labels } from './endpoint-set.ts';
import type { Outlier } from './outlier.ts';

export class Candidates {
  readonly #set: EndpointSet;
  readonly #labels: Labels | null;
  readonly #outlier: Outlier | null;
  #setVersion = -1;
  #outlierVersion = -1;
  /** All that carry the labels and have a weight, ejected ones too. */
  all: readonly LiveEndpoint[] = [];
  /** Those in good standing. */
  in: readonly LiveEndpoint[] = [];
  /** `in`, and those that wait for a probe that could be repeated. */
  withProbes: readonly LiveEndpoint[] = [];
  /** `in`, and those that by now take any call as their probe. */
  withAnyProbes: readonly LiveEndpoint[] = [];

  constructor(set: EndpointSet, labels: Labels | null, outlier: Outlier | null) {
    this.#set = set;
    this.#labels = labels;
    this.#outlier = outlier;
  }

  /** Brings the arrays up to date. Call before reading them. */
  refresh(nowMs: number): void {
    const outlier = this.#outlier;
    outlier?.advance(nowMs);
    if (this.#set.version === this.#setVersion && (outlier === null || outlier.version === this.#outlierVersion)) return;
    this.#setVersion = this.#set.version;
    this.all = this.#set.select(this.#labels).filter((endpoint) => endpoint.weight > 0);
    this.in = this.all;
    this.withProbes = this.all;
    this.withAnyProbes = this.all;
    if (outlier === null) return;
    this.#outlierVersion = outlier.version;
    this.in = this.all.filter((endpoint) => outlier.isIn(endpoint));
    this.withProbes = this.all.filter((endpoint) => outlier.isIn(endpoint) || outlier.mayProbe(endpoint, true));
    this.withAnyProbes = this.all.filter((endpoint) => outlier.isIn(endpoint) || outlier.mayProbe(endpoint, false));
    if (this.withProbes.length === this.in.length) this.withProbes = this.in;
  }
}
