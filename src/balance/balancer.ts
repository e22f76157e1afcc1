// Chooses the endpoint of one attempt, and learns from how it ended. A Service that chooses among Services; passes
// through, with one listener shared by all calls. It relies on every attempt ending once: only then are calls in flight
// and probes given back.
import type { Call, EndListener, Outcome, Reply } from '../core/call.ts';
import { isAboutIdentity, isIdempotent } from '../core/classify.ts';
import type { Clock, Random } from '../core/clock.ts';
import { LOAD_HEADER } from '../core/headers.ts';
import { refuse } from '../core/refuse.ts';
import type { Service } from '../core/service.ts';
import { BALANCER_DEFAULTS, type BalancerPolicy, RETRY_DEFAULTS } from '../model/destination.ts';
import { Chooser } from './chooser.ts';
import type { LiveEndpoint } from './endpoint.ts';
import type { EndpointSet, Labels } from './endpoint-set.ts';
import type { Place } from './locality.ts';
import type { OutlierDetector } from './outlier-detector.ts';
import type { Picker, Room } from './picker.ts';

/** How often the load that an endpoint reports is read, ms. */
const LOAD_READ_MS = 100;

export interface BalancerDeps {
  readonly set: EndpointSet;
  /** Labels of the subset; null means the whole service. */
  readonly labels: Labels | null;
  /** Subsets to use, in this order, when the own one has no endpoint left that is in good standing or, for a retry, untried. */
  readonly spillTo: readonly Labels[];
  readonly picker: Picker;
  /** null: nobody is ejected. */
  readonly outlier: OutlierDetector | null;
  readonly clock: Clock;
  /** `service` or `service/subset`, for messages. */
  readonly destinationName: string;
  /** Whether the call could be repeated, and so may be the probe of an endpoint in probation. @default idempotent, with a replayable body */
  readonly isRepeatable?: ((call: Call) => boolean) | undefined;
  /** Localities, panic, size of the subset. @default none of them */
  readonly policy?: BalancerPolicy | undefined;
  /** Draws among pools that share the calls. Needed with localities and priorities. @default always the preferred pool */
  readonly random?: Random | undefined;
  /** Where this process is. @default unknown */
  readonly self?: Place | undefined;
  /** A number of this process, the same for all its balancers and over reloads: which endpoints its subset has. @default 0 */
  readonly seed?: number | undefined;
  /** Whether an endpoint may take one more attempt. @default there is no limit */
  readonly room?: Room | null | undefined;
  /** Whether retries may go to an endpoint that the call has tried: those of Istio's consistent hash stay where they were. @default false */
  readonly retriesStay?: boolean | undefined;
  /** Whether calls are refused when nobody is sound and `panicPercent` is 0, as Istio does. @default those that are out are used */
  readonly neverPanics?: boolean | undefined;
  /** Whether the load that endpoints report is read for others than the locality policy, too. @default false */
  readonly readsLoad?: boolean | undefined;
  /** Told of every ending, while the attempt still counts as in flight. @default nobody listens */
  readonly onOutcome?: ((endpoint: LiveEndpoint, attempt: Call, outcome: Outcome) => void) | null | undefined;
}

export function balancer(deps: BalancerDeps): Service {
  const { set, outlier, onOutcome = null } = deps;
  const chooser = chooserOf(deps);
  const onEnd: EndListener = (attempt, outcome) => {
    const endpoint = attempt.endpoint as LiveEndpoint;
    if (onOutcome !== null) onOutcome(endpoint, attempt, outcome);
    endpoint.finish(attempt);
    learn(set, endpoint, attempt, outcome);
    if (outlier !== null) outlier.record(endpoint, attempt, outcome);
    if (endpoint.removed) set.ended(endpoint);
  };
  const read = answerReader(deps);
  return (attempt) => {
    const endpoint = chooser.choose(attempt);
    if (endpoint === null) return noEndpoint(deps, chooser, attempt);
    attempt.endpoint = endpoint;
    if (outlier !== null && !outlier.isIn(endpoint) && outlier.mayProbe(endpoint, true)) outlier.beginProbe(endpoint, attempt);
    endpoint.begin(attempt);
    attempt.onEnd(onEnd);
    const answer = endpoint.service(attempt);
    return read === null ? answer : read(answer, endpoint, attempt);
  };
}

function chooserOf(deps: BalancerDeps): Chooser {
  return new Chooser({
    ...deps,
    isRepeatable: deps.isRepeatable ?? isRepeatableByDefault,
    rules: {
      policy: deps.policy ?? BALANCER_DEFAULTS,
      self: deps.self ?? { locality: '', labels: {} },
      seed: deps.seed ?? 0,
    },
    random: deps.random ?? (() => 0),
    room: deps.room ?? null,
    retriesStay: deps.retriesStay === true,
    neverPanics: deps.neverPanics === true,
  });
}

/** What an ending tells of the latency. Never lowers the average but for a head that really came. */
function learn(set: EndpointSet, endpoint: LiveEndpoint, attempt: Call, outcome: Outcome): void {
  const { startedAtMs, headAtMs } = attempt;
  const nowMs = outcome.endedAtMs;
  const latencyMs = (headAtMs === 0 ? nowMs : headAtMs) - startedAtMs;
  // A peer that cannot prove its identity counts for nobody, but it must not look like the fastest one either.
  if (outcome.kind === 'failure' || outcome.status === 429 || (outcome.error !== null && isAboutIdentity(outcome.error))) {
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

type AnswerReader = (answer: Promise<Reply>, endpoint: LiveEndpoint, attempt: Call) => Promise<Reply>;

/** What is taken from the head of an answer, or put into it; null when the policy wants neither. */
function answerReader({ policy, picker: { keyed }, readsLoad }: BalancerDeps): AnswerReader | null {
  const locality = policy?.locality ?? null;
  const wantsLoad = readsLoad === true || (locality !== null && locality.mode === 'zone' && locality.loadMax < 1);
  if (!wantsLoad && keyed === undefined) return null;
  return (answer, endpoint, attempt) => {
    // A few reports a second are enough, and the other answers are passed through as they are.
    const isDue = wantsLoad && attempt.startedAtMs - endpoint.loadAtMs >= LOAD_READ_MS;
    const cookie = keyed === undefined ? null : keyed.setCookie(attempt);
    if (!isDue && cookie === null) return answer;
    if (isDue) endpoint.loadAtMs = attempt.startedAtMs;
    return readAnswer(answer, isDue ? endpoint : null, cookie);
  };
}

/** Apart from the rest: what a closure captures is allocated on entry, and most answers need none. */
function readAnswer(answer: Promise<Reply>, endpoint: LiveEndpoint | null, cookie: string | null): Promise<Reply> {
  return answer.then((reply) => {
    if (endpoint !== null) endpoint.load = loadOf(reply);
    if (cookie !== null) addCookie(reply, cookie);
    return reply;
  });
}

/** 0 to 1; NaN when the endpoint reports none. */
function loadOf(reply: Reply): number {
  const text = reply.headers[LOAD_HEADER];
  const load = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
  return load >= 0 ? Math.min(1, load) : Number.NaN;
}

/** The head may be shared, so it is replaced. */
function addCookie(reply: Reply, line: string): void {
  const before = reply.headers['set-cookie'];
  reply.headers = { ...reply.headers, 'set-cookie': before === undefined ? line : [before, line].flat() };
  const raw = reply.rawHeaders;
  if (!Array.isArray(raw)) return;
  // Of the kind it came in: undici gives buffers.
  const pair = ['set-cookie', line];
  reply.rawHeaders = [...(raw as unknown[]), ...(typeof raw[0] === 'string' ? pair : pair.map((text) => Buffer.from(text, 'latin1')))];
}

function noEndpoint({ labels, destinationName, set, clock }: BalancerDeps, { own }: Chooser, attempt: Call): Promise<never> {
  const known = set.all.length;
  if (own.in.length > 0) {
    const message = `none of the ${own.in.length} endpoints of ${destinationName} has room for one more attempt; limits.adaptive has learnt how many each takes`;
    return refuse(attempt, clock.now(), { code: 'overloaded', message });
  }
  const wanted = labels === null ? '' : JSON.stringify(labels);
  const message =
    known === 0
      ? `${destinationName} has no endpoint`
      : own.all.length > 0
        ? `all ${own.all.length} endpoints of ${destinationName} are ejected or unhealthy`
        : `none of the ${known} endpoints of ${destinationName} has the labels ${wanted}`;
  return refuse(attempt, clock.now(), { code: 'no_endpoint', message });
}
