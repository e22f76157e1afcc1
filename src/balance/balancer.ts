// Chooses the endpoint of one attempt, and learns from how it ended. A Service that chooses among Services; passes
// through, with one listener shared by all calls. It relies on every attempt ending once: only then are calls in flight
// and probes given back.
import type { Call, EndListener, Endpoint, Outcome } from '../core/call.ts';
import { isIdempotent } from '../core/classify.ts';
import type { Clock } from '../core/clock.ts';
import { refuse } from '../core/refuse.ts';
import type { Service } from '../core/service.ts';
import { RETRY_DEFAULTS } from '../model/destination.ts';
import { Candidates } from './candidates.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet, Labels } from './endpoint-set.ts';
import type { Outlier } from './outlier.ts';
import type { Picker } from './picker.ts';

export interface BalancerDeps {
  readonly set: EndpointSet;
  /** Labels of the subset; null means the whole service. */
  readonly labels: Labels | null;
  /** Subsets to use, in this order, when the own one has no endpoint left that is in good standing or, for a retry, untried. */
  readonly spillTo: readonly Labels[];
  readonly picker: Picker;
  /** null: nobody is ejected. */
  readonly outlier: Outlier | null;
  readonly clock: Clock;
  /** `service` or `service/subset`, for messages. */
  readonly destinationName: string;
  /** Whether the call could be repeated, and so may be the probe of an endpoint in probation. @default idempotent, with a replayable body */
  readonly isRepeatable?: ((call: Call) => boolean) | undefined;
}

export function balancer(deps: BalancerDeps): Service {
  const { set, outlier, clock } = deps;
  const choose = chooser(deps);
  const onEnd: EndListener = (attempt, outcome) => {
    const endpoint = attempt.endpoint as LiveEndpoint;
    endpoint.finish(attempt);
    learn(set, endpoint, attempt, outcome);
    if (outlier !== null) outlier.record(endpoint, attempt, outcome);
    if (endpoint.removed) set.ended(endpoint);
  };
  return (attempt) => {
    const endpoint = choose(attempt);
    if (endpoint === null) return noEndpoint(deps, attempt, clock.now());
    attempt.endpoint = endpoint;
    if (outlier !== null && !outlier.isIn(endpoint) && outlier.mayProbe(endpoint, true)) outlier.beginProbe(endpoint, attempt);
    endpoint.begin(attempt);
    attempt.onEnd(onEnd);
    return endpoint.service(attempt);
  };
}

/** In this order: untried (for a retry), own subset, other subsets, and when all are ejected, all of them. */
function chooser(deps: BalancerDeps): (attempt: Call) => LiveEndpoint | null {
  const { set, outlier, picker } = deps;
  const isRepeatable = deps.isRepeatable ?? isRepeatableByDefault;
  const own = new Candidates(set, deps.labels, outlier);
  const spills = deps.spillTo.map((labels) => new Candidates(set, labels, outlier));

  function elsewhere(attempt: Call, nowMs: number): LiveEndpoint | null {
    for (const spill of spills) {
      spill.refresh(nowMs);
      if (spill.in.length > 0) return picker.pick(spill.in, attempt, nowMs);
    }
    // Panic comes after the other subsets: sick endpoints are worse than healthy ones of another version.
    for (const pool of [own, ...spills]) if (pool.all.length > 0) return picker.pick(pool.all, attempt, nowMs);
    return null;
  }

  function untried(attempt: Call, tried: readonly Endpoint[], nowMs: number): LiveEndpoint | null {
    for (const pool of [own, ...spills]) {
      pool.refresh(nowMs);
      const left = pool.in.filter((endpoint) => !tried.includes(endpoint));
      if (left.length > 0) return picker.pick(left, attempt, nowMs);
    }
    return null;
  }

  return (attempt) => {
    const nowMs = attempt.startedAtMs;
    own.refresh(nowMs);
    const tried = attempt.parent === null ? null : attempt.parent.tried;
    if (tried !== null) {
      const endpoint = untried(attempt, tried, nowMs);
      if (endpoint !== null) return endpoint;
    }
    // A retry is no probe: it has failed once already.
    let candidates = own.in;
    if (own.withProbes !== candidates && tried === null) candidates = isRepeatable(attempt) ? own.withProbes : own.withAnyProbes;
    return candidates.length > 0 ? picker.pick(candidates, attempt, nowMs) : elsewhere(attempt, nowMs);
  };
}

/** What an ending tells of the latency. Never lowers the average but for a head that really came. */
function learn(set: EndpointSet, endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void {
  const { startedAtMs, headAtMs } = attempt;
  const nowMs = outcome.endedAtMs;
  const latencyMs = (headAtMs === 0 ? nowMs : headAtMs) - startedAtMs;
  // A peer that cannot prove its identity counts for nobody, but it must not look like the fastest one either.
  if (outcome.kind === 'failure' || outcome.status === 429 || outcome.error?.code === 'peer_untrusted') {
    endpoint.penalize(latencyMs, nowMs);
  } else if (headAtMs === 0 && outcome.kind === 'ignored') {
    endpoint.atLeast(latencyMs, nowMs);
  } else {
    endpoint.observe(latencyMs, nowMs);
    set.sawLatency(latencyMs);
  }
}

function isRepeatableByDefault(call: Call): boolean {
  return (call.body === null || call.body.replayable) && isIdempotent(call, RETRY_DEFAULTS);
}

function noEndpoint(deps: BalancerDeps, attempt: Call, nowMs: number): Promise<never> {
  const { labels, destinationName } = deps;
  const known = deps.set.all.length;
  const wanted = labels === null ? '' : JSON.stringify(labels);
  const message =
    known === 0 ? `${destinationName} has no endpoint` : `none of the ${known} endpoints of ${destinationName} has the labels ${wanted}`;
  return refuse(attempt, nowMs, { code: 'no_endpoint', message });
}
