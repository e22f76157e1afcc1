// A gRPC service config as the policies of a service in the concise form: one route for each method or service that it names,
// the most exact first. What it says of load balancing and throttling belongs to the service. What it says and nobody here reads
// is a warning. Source: gRFC A6, A2; service_config.proto.
import { GRPC_STATUSES } from './grpc-status.ts';
import type {
  GrpcHedgingPolicyInput,
  GrpcMethodConfigInput,
  GrpcMethodNameInput,
  GrpcRetryPolicyInput,
  GrpcServiceConfigInput,
} from './input-grpc.ts';
import type { RetriesInput } from './input-policy.ts';
import type { RouteInput, ServiceInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';

/** What of a service comes from a service config. */
export type GrpcPolicies = Pick<ServiceInput, 'routes' | 'retryBudget' | 'loadBalancer'>;

/** Where a route was written, and single fields of it, by their names in the model. */
export interface GrpcPlace {
  readonly path: ConfigPath;
  readonly fields: Readonly<Record<string, ConfigPath>>;
}

export interface GrpcReading {
  readonly policies: GrpcPolicies;
  /** Of the routes, in their order. */
  readonly places: readonly GrpcPlace[];
}

interface Ranked extends GrpcPlace {
  readonly rank: number;
  readonly route: RouteInput;
}

/** gRPC makes no more, whatever is asked for. Source: gRFC A6. */
const ATTEMPTS_MAX = 5;
const FACTOR = 2;

/** What provably reached nobody. */
const UNPROCESSED: NonNullable<RetriesInput['retryOn']> = ['connect-failure', 'refused-stream'];

/** The config has passed its schema. */
export function readGrpcServiceConfig(config: GrpcServiceConfigInput, path: ConfigPath, report: Report): GrpcReading {
  const methods = config.methodConfig ?? [];
  const ranked = distinct(
    methods.flatMap((method, index) => readMethod(method, [...path, 'methodConfig', index], report)),
    report,
  );
  ranked.sort((a, b) => b.rank - a.rank);
  const routes = ranked.map(({ route }) => route);
  const { maxTokens, tokenRatio } = config.retryThrottling ?? {};
  warnOfUnread(config, path, report);
  const policies: GrpcPolicies = {
    ...(routes.length === 0 ? {} : { routes }),
    ...(config.retryThrottling === undefined
      ? {}
      : {
          retryBudget: {
            mode: 'grpc',
            ...(maxTokens === undefined ? {} : { maxTokens }),
            ...(tokenRatio === undefined ? {} : { tokenRatio }),
          },
        }),
    ...(balancerOf(config) === 'round_robin' ? { loadBalancer: 'roundRobin' } : {}),
  };
  return { policies, places: ranked };
}

function distinct(all: readonly Ranked[], report: Report): Ranked[] {
  const seen = new Map<string, ConfigPath>();
  return all.filter(({ route, path }) => {
    const calls = JSON.stringify(route.match ?? null);
    const before = seen.get(calls);
    if (before === undefined) seen.set(calls, path);
    else report.error(path, `${formatPath(path)} names the same calls as another, at ${report.place(before)}; keep one`);
    return before === undefined;
  });
}

function balancerOf({ loadBalancingConfig = [] }: GrpcServiceConfigInput): string | undefined {
  return Object.keys(loadBalancingConfig[0] ?? {})[0];
}

function warnOfUnread(config: GrpcServiceConfigInput, path: ConfigPath, report: Report): void {
  const balancer = balancerOf(config);
  const lost = (key: string, what: string): void => report.warn([...path, key], `${formatPath([...path, key])}${what}`);
  if (balancer !== undefined && balancer !== 'round_robin')
    lost('loadBalancingConfig', `: ${balancer} is not read; the loadBalancer of the service holds`);
  if (config.loadBalancingPolicy !== undefined) lost('loadBalancingPolicy', ' is not read; write loadBalancingConfig');
  if (config.healthCheckConfig !== undefined) lost('healthCheckConfig', ' is not read; give the service a healthCheck');
}

function readMethod(method: GrpcMethodConfigInput, path: ConfigPath, report: Report): Ranked[] {
  const { retryPolicy, hedgingPolicy, timeout } = method;
  const lost = (key: string, instead: string): void => report.warn([...path, key], `${formatPath([...path, key])} is not read; ${instead}`);
  for (const key of ['maxRequestMessageBytes', 'maxResponseMessageBytes'] as const) {
    if (method[key] !== undefined) lost(key, 'give channelOptions to the channel');
  }
  if (method.waitForReady === true) lost('waitForReady', 'the caller says it in the metadata');
  if (retryPolicy !== undefined && hedgingPolicy !== undefined)
    report.error([...path, 'hedgingPolicy'], `${formatPath(path)}: retryPolicy and hedgingPolicy exclude each other`, { part: 'key' });
  const said = { ...(timeout === undefined ? {} : { timeout: durationMs(timeout) }), ...readRepetition(method, path, report) };
  const retriesAt =
    retryPolicy === undefined ? (hedgingPolicy === undefined ? path : [...path, 'hedgingPolicy']) : [...path, 'retryPolicy'];
  return method.name.map((name, index) => {
    const at = [...path, 'name', index];
    const fields = {
      matches: at,
      retries: retriesAt,
      ...(timeout === undefined ? {} : { timeoutMs: [...path, 'timeout'] }),
      ...(hedgingPolicy === undefined ? {} : { idempotent: [...path, 'hedgingPolicy'], hedge: [...path, 'hedgingPolicy'] }),
    };
    return { ...readName(name, at, report, said), path: at, fields };
  });
}

function readName(
  { service = '', method = '' }: GrpcMethodNameInput,
  path: ConfigPath,
  report: Report,
  said: RouteInput,
): { readonly rank: number; readonly route: RouteInput } {
  if (service === '' && method !== '') report.error(path, `${formatPath(path)} has a method without its service; add service`);
  const rank = service === '' ? 0 : method === '' ? 1 : 2;
  const match = rank === 2 ? { exact: `/${service}/${method}` } : { prefix: `/${service}/` };
  const label = `grpc-${rank === 0 ? 'all' : [service, method].filter((part) => part !== '').join('-')}`;
  // A name of a route is a label.
  const name = label.replace(/[^\w.-]+/g, '-');
  return { rank, route: { name, ...(rank === 0 ? {} : { match: { path: match } }), ...said } };
}

function readRepetition(
  { retryPolicy, hedgingPolicy }: GrpcMethodConfigInput,
  path: ConfigPath,
  report: Report,
): Pick<RouteInput, 'retries' | 'idempotent'> {
  if (retryPolicy !== undefined) return { retries: readRetries(retryPolicy, [...path, 'retryPolicy'], report) };
  if (hedgingPolicy !== undefined) return readHedging(hedgingPolicy, [...path, 'hedgingPolicy'], report);
  // Without a policy gRPC repeats only what never reached the application.
  return { retries: { retryOn: UNPROCESSED } };
}

function readRetries(policy: GrpcRetryPolicyInput, path: ConfigPath, report: Report): RetriesInput {
  const { backoffMultiplier = FACTOR, perAttemptRecvTimeout } = policy;
  if (backoffMultiplier !== FACTOR) {
    const at = [...path, 'backoffMultiplier'];
    report.warn(at, `${formatPath(at)}: ${String(backoffMultiplier)} becomes ${FACTOR}`);
  }
  const maxMs = durationMs(policy.maxBackoff);
  return {
    attempts: attemptsOf(policy) - 1,
    methods: ['*'],
    retryOn: perAttemptRecvTimeout === undefined ? UNPROCESSED : [...UNPROCESSED, 'per-try-timeout'],
    grpcStatuses: policy.retryableStatusCodes.map(statusOf),
    backoff: { base: Math.min(durationMs(policy.initialBackoff), maxMs), max: maxMs },
    ...(perAttemptRecvTimeout === undefined ? {} : { perTryTimeout: durationMs(perAttemptRecvTimeout) }),
  };
}

function readHedging(policy: GrpcHedgingPolicyInput, path: ConfigPath, report: Report): Pick<RouteInput, 'retries' | 'idempotent'> {
  const { hedgingDelay, nonFatalStatusCodes = [] } = policy;
  const text = formatPath(path);
  if (attemptsOf(policy) > 2)
    report.warn([...path, 'maxAttempts'], `${text}.maxAttempts: one hedge is sent beside a late first attempt, not more`);
  if (hedgingDelay !== undefined) {
    const guess = 'is the first guess of the delay, which then follows from how long answers take';
    report.warn([...path, 'hedgingDelay'], `${text}.hedgingDelay ${guess}`);
  }
  return {
    idempotent: { extraLoad: 0.5, ...(hedgingDelay === undefined ? {} : { initialDelay: durationMs(hedgingDelay) }) },
    retries: { attempts: attemptsOf(policy) - 1, retryOn: UNPROCESSED, grpcStatuses: nonFatalStatusCodes.map(statusOf) },
  };
}

function attemptsOf({ maxAttempts }: { readonly maxAttempts: number }): number {
  return Math.min(ATTEMPTS_MAX, maxAttempts);
}

/** Of `1.5s`. */
function durationMs(text: string): number {
  return Math.max(1, Math.round(Number(text.slice(0, -1)) * 1_000));
}

function statusOf(status: string | number): string {
  return typeof status === 'string' ? status.toUpperCase() : (GRPC_STATUSES[status] as string);
}
