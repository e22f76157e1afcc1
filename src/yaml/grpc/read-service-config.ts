// A gRPC service config as the policies of a service in the concise form: one route for each method or service that it names,
// the most exact first. What it says of load balancing and throttling belongs to the service. Source: gRFC A6, A2;
// service_config.proto. Knows nothing of files: whoever has the JSON hands it in.
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { RetriesInput } from '../../model/input-policy.ts';
import type { RouteInput, ServiceInput } from '../../model/input.ts';

/** A part of a service, and what of the service config it cannot say. */
export interface ServiceConfigPolicies {
  readonly policies: Pick<ServiceInput, 'routes' | 'retryBudget' | 'loadBalancer'>;
  /** In sentences. */
  readonly losses: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** gRPC makes no more, whatever is asked for. Source: gRFC A6. */
const ATTEMPTS_MAX = 5;

class Reader {
  readonly losses: string[] = [];

  read(config: Json): ServiceConfigPolicies {
    const methods = listAt(config, 'methodConfig', 'methodConfig');
    const ranked = methods.flatMap((method, index) => this.#method(objectOf(method, `methodConfig[${index}]`), `methodConfig[${index}]`));
    ranked.sort((a, b) => b.rank - a.rank);
    const routes = ranked.map(({ route }) => route);
    const policies = { ...(routes.length === 0 ? {} : { routes }), ...this.#throttling(config), ...this.#balancing(config) };
    return { policies, losses: this.losses };
  }

  #method(method: Json, at: string): { rank: number; route: RouteInput }[] {
    const names = listAt(method, 'name', `${at}.name`);
    if (names.length === 0) throw new TypeError(`${at}.name: names nothing; write [{}] for all methods`);
    for (const key of ['maxRequestMessageBytes', 'maxResponseMessageBytes'] as const) {
      if (method[key] !== undefined) this.losses.push(`${at}.${key} is not read; give channelOptions to the channel`);
    }
    if (method['waitForReady'] === true) this.losses.push(`${at}.waitForReady is not read; the caller says it in the metadata`);
    const said = { ...this.#timeout(method, at), ...this.#repetition(method, at) };
    return names.map((name, index) => {
      const { service = '', method: word = '' } = objectOf(name, `${at}.name[${index}]`) as { service?: string; method?: string };
      if (service === '' && word !== '') throw new TypeError(`${at}.name[${index}]: method without service`);
      const rank = service === '' ? 0 : word === '' ? 1 : 2;
      const path = rank === 0 ? undefined : rank === 1 ? { prefix: `/${service}/` } : { exact: `/${service}/${word}` };
      const label = `grpc-${rank === 0 ? 'all' : [service, word].filter((part) => part !== '').join('-')}`.replace(/[^\w-]+/g, '-');
      return { rank, route: { name: label, ...(path === undefined ? {} : { match: { path } }), ...said } };
    });
  }

  #timeout(method: Json, at: string): Pick<RouteInput, 'timeout'> {
    const { timeout } = method;
    return timeout === undefined ? {} : { timeout: durationOf(timeout, `${at}.timeout`) };
  }

  #repetition(method: Json, at: string): Pick<RouteInput, 'retries' | 'idempotent'> {
    const { retryPolicy, hedgingPolicy } = method;
    if (retryPolicy !== undefined && hedgingPolicy !== undefined)
      throw new TypeError(`${at}: retryPolicy and hedgingPolicy exclude each other`);
    if (retryPolicy !== undefined) return { retries: this.#retries(objectOf(retryPolicy, `${at}.retryPolicy`), `${at}.retryPolicy`) };
    if (hedgingPolicy !== undefined) return this.#hedging(objectOf(hedgingPolicy, `${at}.hedgingPolicy`), `${at}.hedgingPolicy`);
    // Without a policy gRPC repeats only what never reached the application.
    return { retries: { retryOn: UNPROCESSED } };
  }

  #retries(policy: Json, at: string): RetriesInput {
    const { initialBackoff, maxBackoff, backoffMultiplier, perAttemptRecvTimeout } = policy;
    if (backoffMultiplier !== undefined && backoffMultiplier !== 2) {
      this.losses.push(`${at}.backoffMultiplier: ${String(backoffMultiplier)} becomes 2`);
    }
    const statuses = listAt(policy, 'retryableStatusCodes', `${at}.retryableStatusCodes`);
    if (statuses.length === 0) throw new TypeError(`${at}.retryableStatusCodes: names none`);
    return {
      attempts: attemptsOf(policy, at) - 1,
      methods: ['*'],
      retryOn: UNPROCESSED,
      grpcStatuses: statuses.map((status) => statusOf(status, `${at}.retryableStatusCodes`)),
      backoff: { base: durationOf(initialBackoff, `${at}.initialBackoff`), max: durationOf(maxBackoff, `${at}.maxBackoff`) },
      ...(perAttemptRecvTimeout === undefined
        ? {}
        : {
            perTryTimeout: durationOf(perAttemptRecvTimeout, `${at}.perAttemptRecvTimeout`),
            retryOn: [...UNPROCESSED, 'per-try-timeout'],
          }),
    };
  }

  #hedging(policy: Json, at: string): Pick<RouteInput, 'retries' | 'idempotent'> {
    if (attemptsOf(policy, at) > 2) this.losses.push(`${at}.maxAttempts: one hedge is sent beside a late first attempt, not more`);
    this.losses.push(`${at}.hedgingDelay is the first guess of the delay, which then follows from how long answers take`);
    const { hedgingDelay } = policy;
    const statuses = listAt(policy, 'nonFatalStatusCodes', `${at}.nonFatalStatusCodes`);
    return {
      idempotent: {
        extraLoad: 0.5,
        ...(hedgingDelay === undefined ? {} : { initialDelay: durationOf(hedgingDelay, `${at}.hedgingDelay`) }),
      },
      retries: {
        attempts: attemptsOf(policy, at) - 1,
        retryOn: UNPROCESSED,
        grpcStatuses: statuses.map((status) => statusOf(status, `${at}.nonFatalStatusCodes`)),
      },
    };
  }

  #throttling(config: Json): Pick<ServiceInput, 'retryBudget'> {
    if (config['retryThrottling'] === undefined) return {};
    const { maxTokens, tokenRatio } = objectOf(config['retryThrottling'], 'retryThrottling') as { maxTokens?: number; tokenRatio?: number };
    return {
      retryBudget: {
        mode: 'grpc',
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(tokenRatio === undefined ? {} : { tokenRatio }),
      },
    };
  }

  #balancing(config: Json): Pick<ServiceInput, 'loadBalancer'> {
    const [first] = listAt(config, 'loadBalancingConfig', 'loadBalancingConfig');
    const name = first === undefined ? undefined : Object.keys(objectOf(first, 'loadBalancingConfig[0]'))[0];
    if (name === undefined) return {};
    if (name === 'round_robin') return { loadBalancer: 'roundRobin' };
    this.losses.push(`loadBalancingConfig: ${name} is not read; the loadBalancer of the service holds`);
    return {};
  }
}

const UNPROCESSED: NonNullable<RetriesInput['retryOn']> = ['connect-failure', 'refused-stream'];

function objectOf(value: unknown, at: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${at}: is no object`);
  return value as Json;
}

function listAt(value: Json, key: string, at: string): readonly unknown[] {
  const list = value[key] ?? [];
  if (!Array.isArray(list)) throw new TypeError(`${at}: is no list`);
  return list as readonly unknown[];
}

function attemptsOf({ maxAttempts }: Json, at: string): number {
  if (typeof maxAttempts !== 'number' || !Number.isInteger(maxAttempts) || maxAttempts < 2) {
    throw new TypeError(`${at}.maxAttempts: is no whole number above 1`);
  }
  return Math.min(ATTEMPTS_MAX, maxAttempts);
}

/** `1.5s`, as JSON writes google.protobuf.Duration, as ms. */
function durationOf(value: unknown, at: string): number {
  const seconds = typeof value === 'string' ? /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(value)?.[1] : undefined;
  if (seconds === undefined) throw new TypeError(`${at}: is no duration like 0.5s`);
  return Math.max(1, Math.round(Number(seconds) * 1_000));
}

function statusOf(value: unknown, at: string): string {
  const name = typeof value === 'number' ? GRPC_STATUSES[value] : String(value).toUpperCase();
  if (name === undefined || GRPC_STATUSES.indexOf(name) < 1) throw new TypeError(`${at}: ${String(value)} is no gRPC status`);
  return name;
}

/**
 * The policies that a gRPC service config asks for, to be spread into a service: `{ endpoints, ...policies }`. Takes JSON text
 * or the object. Throws a TypeError that names the field for what is no service config.
 */
export function readServiceConfig(config: string | object): ServiceConfigPolicies {
  return new Reader().read(objectOf(typeof config === 'string' ? JSON.parse(config) : config, 'the service config'));
}
