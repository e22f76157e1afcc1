// The endpoints of one service. An update keeps what is known of an address that stays, and lets a removed one finish its
// calls. A source that suddenly names nobody is not believed: the last set stays. Knows nothing of where updates come from.
import type { Endpoint } from '../core/call.ts';
import type { Service } from '../core/service.ts';
import type { BalancerPolicy, EndpointConfig } from '../model/destination.ts';
import { LiveEndpoint } from './endpoint.ts';

/** Labels that an endpoint must carry, all of them. */
export type Labels = Readonly<Record<string, string>>;

/** What an update did, in addresses. */
export interface EndpointChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The update was empty and the last set stays in use. */
  readonly keptLast: boolean;
}

export interface EndpointSetDeps {
  /** Makes the stack below the balancer. Called once per endpoint, before its first call. */
  readonly leaf: (endpoint: Endpoint) => Service;
  /** The last attempt of a removed endpoint has ended. @default nobody listens */
  readonly onDrained?: ((endpoint: LiveEndpoint) => void) | undefined;
}

export class EndpointSet {
  #policy: BalancerPolicy;
  #deps: EndpointSetDeps;
  #all: readonly LiveEndpoint[] = [];
  #byAddress: Map<string, LiveEndpoint> = new Map();
  #version = 0;
  #fastestMs = 0;
  readonly #selected: Map<Labels, readonly LiveEndpoint[]> = new Map();
  readonly #listeners: Set<(change: EndpointChange) => void> = new Set();

  constructor(policy: BalancerPolicy, deps: EndpointSetDeps) {
    this.#policy = policy;
    this.#deps = deps;
  }

  get all(): readonly LiveEndpoint[] {
    return this.#all;
  }

  /** Changes with every change of the set, and of what others than the ejection say of its endpoints. */
  get version(): number {
    return this.#version;
  }

  /** About the least time to a response head seen lately, ms; 0 when none was seen. */
  get fastestMs(): number {
    return this.#fastestMs;
  }

  /** Takes over what the source says now. An address named twice counts once, as first named. */
  update(configs: readonly EndpointConfig[], nowMs: number): EndpointChange {
    if (configs.length === 0) return { added: [], removed: [], keptLast: this.#all.length > 0 };
    const before = this.#byAddress;
    const after = new Map<string, LiveEndpoint>();
    const added: string[] = [];
    const seedMs = this.#seedMs(nowMs);
    // Who was there before this process is as warm as ever.
    const upSinceMs = this.#all.length === 0 ? Number.NEGATIVE_INFINITY : nowMs;
    for (const config of configs) {
      if (after.has(config.address)) continue;
      const known = before.get(config.address);
      if (known === undefined) added.push(config.address);
      else known.configure(config, this.#policy);
      after.set(config.address, known ?? this.#make(config, seedMs, upSinceMs, nowMs));
    }
    const removed: LiveEndpoint[] = [];
    for (const endpoint of this.#all) if (!after.has(endpoint.address)) removed.push(endpoint);
    this.#byAddress = after;
    this.#all = [...after.values()];
    const change = { added, removed: removed.map((endpoint) => endpoint.address), keptLast: false };
    this.#changed(change);
    for (const endpoint of removed) this.#drain(endpoint);
    return change;
  }

  /** A reload: other policy, other leaves, the same knowledge. Attempts in flight end on the leaf they began on. */
  configure(policy: BalancerPolicy, deps: EndpointSetDeps): void {
    this.#policy = policy;
    this.#deps = deps;
    for (const endpoint of this.#all) {
      endpoint.configure(endpoint, policy);
      endpoint.service = deps.leaf(endpoint);
    }
    this.#changed({ added: [], removed: [], keptLast: false });
  }

  /** Somebody outside the ejection (a health check) changed the standing of an endpoint: who may be taken is worked out again. */
  standingChanged(): void {
    this.#version++;
  }

  /** The endpoints that carry the labels; null means all. The same array until the set changes. */
  select(labels: Labels | null): readonly LiveEndpoint[] {
    if (labels === null) return this.#all;
    const known = this.#selected.get(labels);
    if (known !== undefined) return known;
    const wanted = Object.entries(labels);
    const selected = this.#all.filter((endpoint) => wanted.every(([name, value]) => endpoint.labels[name] === value));
    this.#selected.set(labels, selected);
    return selected;
  }

  /** Tells of every change until the function returned is called. */
  onChange(listener: (change: EndpointChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** A response head came after `latencyMs`. Falls at once, rises by a hundredth: near the fastest, not the mean. */
  sawLatency(latencyMs: number): void {
    const fastest = this.#fastestMs;
    this.#fastestMs = latencyMs < fastest || fastest === 0 ? latencyMs : fastest + (latencyMs - fastest) / 100;
  }

  /** An attempt at a removed endpoint has ended. */
  ended(endpoint: LiveEndpoint): void {
    if (endpoint.inFlight === 0) this.#deps.onDrained?.(endpoint);
  }

  #changed(change: EndpointChange): void {
    this.#version++;
    this.#selected.clear();
    for (const listener of this.#listeners) listener(change);
  }

  #drain(endpoint: LiveEndpoint): void {
    endpoint.removed = true;
    if (endpoint.inFlight === 0) this.#deps.onDrained?.(endpoint);
  }

  #make(config: EndpointConfig, seedMs: number, upSinceMs: number, nowMs: number): LiveEndpoint {
    const endpoint = new LiveEndpoint(config, unmade, this.#policy, seedMs, nowMs);
    endpoint.upSinceMs = upSinceMs;
    endpoint.service = this.#deps.leaf(endpoint);
    return endpoint;
  }

  /** A newcomer starts slower than its peers and earns its traffic: a cold replica is not handed a full share at once. 0 asks no peer. */
  #seedMs(nowMs: number): number {
    const { seedFactor, seedMs } = this.#policy;
    if (seedFactor === 0) return seedMs;
    const latencies: number[] = [];
    for (const endpoint of this.#all) if (endpoint.measured) latencies.push(endpoint.latencyMs(nowMs));
    if (latencies.length === 0) return seedMs;
    latencies.sort((a, b) => a - b);
    const middle = latencies.length >> 1;
    const high = latencies[middle] as number;
    const median = latencies.length % 2 === 1 ? high : (high + (latencies[middle - 1] as number)) / 2;
    return seedFactor * median;
  }
}

const unmade: Service = () => Promise.reject(new Error('the endpoint has no leaf yet'));
