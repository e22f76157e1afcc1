// What becomes of the calls that a rule matches.
import { RETRY_DEFAULTS, type RetryPolicy, type RetrySemantics } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import type { MirrorDraft, RouteDraft, TargetDraft } from '../draft.ts';
import { fullName, positionIn, type Resource } from '../resource.ts';
import { parseGatewayDuration } from './gateway-duration.ts';
import { type BackendDeps, failureOf, findBackend, readBackendRefs } from './read-backend-refs.ts';
import { type FilterEffects, type MirrorFilter, readFilters } from './read-filters.ts';
import { corsVariants } from './read-cors.ts';
import { readSession } from './read-session.ts';
import type { Rule, RouteVariant } from './route-order.ts';
import type { BackendRefSpec, CorsSpec, HttpRuleSpec, RetrySpec, RouteSpec, RuleSpec } from './route-spec.ts';

/** More than one where some of its calls are answered in another way than the others. */
export function readRule(rule: Rule, deps: BackendDeps): RouteVariant[] {
  const { resource } = rule;
  const spec = specOf(rule);
  const path: ConfigPath = ['spec', 'rules', rule.index];
  const prefix = (spec as HttpRuleSpec).matches?.[0]?.path?.value ?? '/';
  const effects = readFilters(spec.filters, [...path, 'filters'], prefix, resource);
  const route = routeOf(rule, spec, path, prefix, effects, deps);
  const cors = effects.cors ?? corsOfBackends(spec, path, resource);
  return cors === null ? [{ route }] : corsVariants(cors, route);
}

/** That of the only backend; one of several cannot be told before the call is drawn. */
function corsOfBackends({ backendRefs = [] }: RuleSpec, path: ConfigPath, { report }: Resource): CorsSpec | null {
  const found = backendRefs.flatMap(({ filters = [] }, i) =>
    filters.flatMap(({ cors }, j) => (cors === undefined ? [] : [{ cors, at: [...path, 'backendRefs', i, 'filters', j] }])),
  );
  const [first] = found;
  if (first === undefined) return null;
  if (backendRefs.length === 1) return first.cors;
  for (const { at } of found)
    report.warn(at, 'CORS of one backend among several is not obeyed, so browsers are refused there; write it for the rule');
  return null;
}

function routeOf(
  rule: Rule,
  spec: RuleSpec,
  path: ConfigPath,
  prefix: string,
  effects: FilterEffects,
  deps: BackendDeps,
): Omit<RouteDraft, 'matches'> {
  const { resource } = rule;
  const { requestHeaders, responseHeaders, rewrite, redirect } = effects;
  const targets = redirect === undefined ? targetsOf(spec, [...path, 'backendRefs'], prefix, effects, deps) : [];
  const session = sessionOf(rule);
  return {
    name: nameOf(rule),
    dialect: 'gateway-api',
    targets,
    mirrors: mirrorsOf([...effects.mirrors, ...backendMirrors(spec, path, resource)], deps),
    idempotent: false,
    ...(requestHeaders === undefined ? {} : { requestHeaders }),
    ...(responseHeaders === undefined ? {} : { responseHeaders }),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(redirect === undefined ? {} : { redirect }),
    ...(session === null ? {} : { sticky: session.sticky }),
    ...timesOf(spec),
    source: positionIn(resource, path),
    sources: sourcesOf(resource, path, spec, effects),
  };
}

/** A route without rules has one that takes all calls. */
export function specOf({ resource, index }: Pick<Rule, 'resource' | 'index'>): RuleSpec {
  return (resource.spec as RouteSpec).rules?.[index] ?? {};
}

export function nameOf(rule: Pick<Rule, 'resource' | 'index'>): string {
  return `${fullName(rule.resource)}/${specOf(rule).name ?? rule.index}`;
}

/** null: the rule keeps no sessions. */
export function sessionOf(rule: Pick<Rule, 'resource' | 'index'>): ReturnType<typeof readSession> | null {
  const { sessionPersistence } = specOf(rule);
  const path: ConfigPath = ['spec', 'rules', rule.index, 'sessionPersistence'];
  return sessionPersistence === undefined ? null : readSession(sessionPersistence, nameOf(rule), path, rule.resource);
}

/** All weights 0, and no backend at all, are an error for the caller; so is a filter that nobody knows. */
function targetsOf(spec: RuleSpec, path: ConfigPath, prefix: string, { fault }: FilterEffects, deps: BackendDeps): TargetDraft[] {
  const { resource } = deps;
  const failing = (reason: string): TargetDraft[] => [{ host: '', weight: 1, path, resource, fails: failureOf(resource, reason) }];
  if (fault !== undefined) return failing(fault);
  const { backendRefs = [] } = spec;
  if (backendRefs.length === 0) return failing('the rule names no backend');
  const targets = readBackendRefs(backendRefs, path, prefix, deps);
  return targets.some(({ weight }) => weight > 0) ? targets : failing('all backends of the rule have weight 0');
}

function mirrorsOf(mirrors: readonly MirrorFilter[], deps: BackendDeps): MirrorDraft[] {
  return mirrors.flatMap(({ spec, path, of }) => {
    const at = [...path, 'backendRef'];
    const found = findBackend(spec.backendRef, at, deps, true);
    if ('fault' in found) return [];
    const { percent, fraction } = spec;
    return [
      {
        target: { ...found, weight: 1, path: at, resource: deps.resource },
        ...(of === undefined ? {} : { of }),
        percent: fraction === undefined ? (percent ?? 100) : (fraction.numerator * 100) / (fraction.denominator ?? 100),
        hostSuffix: '',
        stripHeaders: [],
        bodyBytesMax: MIRROR_BODY_BYTES_MAX,
      },
    ];
  });
}

/** As long as what is kept for a retry. */
const MIRROR_BODY_BYTES_MAX = RETRY_DEFAULTS.bodyBytesMax;

/** Copies of one backend's calls. One that is named twice is told apart by shares: of a drawn call only the backend is known. */
function backendMirrors({ backendRefs = [] }: RuleSpec, path: ConfigPath, resource: Resource): MirrorFilter[] {
  const total = backendRefs.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const key = ({ group, kind, namespace, name, port }: BackendRefSpec): string => JSON.stringify([group, kind, namespace, name, port]);
  const alike = (ref: BackendRefSpec): number => backendRefs.filter((other) => key(other) === key(ref)).length;
  return backendRefs.flatMap(({ filters = [], weight = 1 }, i) =>
    filters.flatMap(({ requestMirror }, j) => {
      if (requestMirror === undefined || weight === 0) return [];
      const isTold = alike(backendRefs[i] as BackendRefSpec) === 1;
      const at = [...path, 'backendRefs', i, 'filters', j, 'requestMirror'];
      if (isTold) return [{ spec: requestMirror, path: at, ...(weight < total ? { of: i } : {}) }];
      const { percent, fraction } = requestMirror;
      const own = fraction === undefined ? (percent ?? 100) : (fraction.numerator * 100) / (fraction.denominator ?? 100);
      if (weight < total) {
        const message = `the backend is named more than once, so its copies are drawn from all calls of the rule, ${weight} in ${total} of them`;
        resource.report.warn(at, message);
      }
      return [{ spec: { backendRef: requestMirror.backendRef, percent: (own * weight) / total }, path: at }];
    }),
  );
}

/** What is not said is left to the service. A timeout of 0 is none. */
function timesOf({ timeouts = {}, retry }: RuleSpec): Pick<RouteDraft, 'timeoutMs' | 'retries' | 'perTryTimeoutMs'> {
  const timeoutMs = timeouts.request === undefined ? null : parseGatewayDuration(timeouts.request);
  const single = timeouts.backendRequest === undefined ? null : parseGatewayDuration(timeouts.backendRequest);
  return {
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(retry === undefined ? {} : { retries: retriesOf(retry, single) }),
    // Without a stanza retries are whose they were.
    ...(retry !== undefined || single === null ? {} : { perTryTimeoutMs: single }),
  };
}

/** The Gateway API knows no method that is not repeated. */
const ALL_METHODS: readonly string[] = Object.freeze(['*']);
/** Where the pause is left to us it is Envoy's, as in most gateways. */
const AS_ENVOY: RetrySemantics = Object.freeze({ kind: 'envoy', avoidTried: true, leavePriority: false, rateLimited: false });

/** Envoy's pause begins at 0, and a backoff is the least of all pauses. */
const WITH_LEAST_PAUSE: RetrySemantics = Object.freeze({ kind: 'gateway-api' });

/** A stanza of its own stands for connection failures, resets and timeouts, whatever codes it names. Source: GEP-1731. */
function retriesOf({ codes = [], attempts = RETRY_DEFAULTS.attempts, backoff }: RetrySpec, single: number | null): RetryPolicy {
  const leastMs = backoff === undefined ? null : parseGatewayDuration(backoff);
  return {
    ...RETRY_DEFAULTS,
    attempts,
    perTryTimeoutMs: single ?? 0,
    retryOn: [
      'connect-failure',
      'refused-stream',
      'reset',
      'reset-before-request',
      'reset-on-reused-connection',
      'per-try-timeout',
      ...codes,
    ],
    methods: ALL_METHODS,
    ...(leastMs === null
      ? { semantics: AS_ENVOY }
      : { backoff: { baseMs: leastMs, maxMs: leastMs * BACKOFF_FACTOR_MAX }, semantics: WITH_LEAST_PAUSE }),
  };
}

const BACKOFF_FACTOR_MAX = 10;

/** By the names that the fields have here. */
function sourcesOf(resource: Resource, path: ConfigPath, spec: RuleSpec, { places }: FilterEffects): Record<string, SourcePosition> {
  const { timeouts, retry, sessionPersistence, backendRefs } = spec;
  const { fault, cors: _cors, ...own } = places;
  const paths: Record<string, ConfigPath | undefined> = {
    ...own,
    targets: fault ?? (backendRefs === undefined ? undefined : [...path, 'backendRefs']),
    timeoutMs: timeouts?.request === undefined ? undefined : [...path, 'timeouts', 'request'],
    retries: retry === undefined ? undefined : [...path, 'retry'],
    perTryTimeoutMs: retry !== undefined || timeouts?.backendRequest === undefined ? undefined : [...path, 'timeouts', 'backendRequest'],
    sticky: sessionPersistence === undefined ? undefined : [...path, 'sessionPersistence'],
  };
  return Object.fromEntries(
    Object.entries(paths).flatMap(([field, at]) => (at === undefined ? [] : [[field, positionIn(resource, at, 'key')] as const])),
  );
}
