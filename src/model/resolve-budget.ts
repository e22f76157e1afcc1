// What pays for retries: our bucket, or the rule of another mesh with its own numbers.
import { BUDGET_DEFAULTS } from './destination.ts';
import type {
  EnvoyBudgetInput,
  GatewayApiBudgetInput,
  GrpcBudgetInput,
  InmeshBudgetInput,
  LinkerdBudgetInput,
  RetryBudgetInput,
} from './input-policy.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { mergeLevels } from './resolve-levels.ts';
import type { Modes } from './resolve-mode.ts';
import { chooseMode } from './resolve-mode.ts';
import { toMs } from './resolve-scalar.ts';
import type { RetryBudgetPolicy } from './retry-budget.ts';
import { ENVOY_BUDGET_DEFAULTS, GATEWAY_API_BUDGET_DEFAULTS, GRPC_BUDGET_DEFAULTS, LINKERD_BUDGET_DEFAULTS } from './retry-budget.ts';

type Mode = NonNullable<RetryBudgetInput['mode']>;

const MODES: Modes<Mode> = {
  policy: 'retryBudget',
  fallback: 'inmesh',
  keys: {
    inmesh: ['tokens', 'perSuccess', 'perSecond'],
    envoy: ['percent', 'minRetryConcurrency', 'budgetInterval'],
    linkerd: ['retryRatio', 'minRetriesPerSecond', 'ttl'],
    'gateway-api': ['budget', 'minRetryRate'],
    grpc: ['maxTokens', 'tokenRatio'],
  },
};

/** Bounds of the ring of slots that payments expire in. Source: tower retry Budget, which Linkerd uses. */
const TTL_MS_MIN = 1_000;
const TTL_MS_MAX = 60_000;

export function resolveBudget(levels: readonly Level<RetryBudgetInput | false>[], report: Report): RetryBudgetPolicy {
  const { mode, levels: own } = chooseMode<Mode, RetryBudgetInput>(levels, MODES, report);
  const merged = mergeLevels(own);
  if (merged === null) return { kind: 'none' };
  const input = merged.value;
  switch (mode) {
    case 'inmesh':
      return inmesh(input as InmeshBudgetInput);
    case 'envoy':
      return envoy(input as EnvoyBudgetInput);
    case 'linkerd':
      return linkerd(merged as Merged<LinkerdBudgetInput>, report);
    case 'gateway-api':
      return gatewayApi(input as GatewayApiBudgetInput);
    case 'grpc':
      return grpc(input as GrpcBudgetInput);
  }
}

function inmesh(input: InmeshBudgetInput): RetryBudgetPolicy {
  const d = BUDGET_DEFAULTS;
  return {
    kind: 'successes',
    tokensMax: input.tokens ?? d.tokensMax,
    tokensPerSuccess: input.perSuccess ?? d.tokensPerSuccess,
    tokensPerSecond: input.perSecond ?? d.tokensPerSecond,
  };
}

function envoy(input: EnvoyBudgetInput): RetryBudgetPolicy {
  const d = ENVOY_BUDGET_DEFAULTS;
  return {
    kind: 'envoy',
    percent: input.percent ?? d.percent,
    concurrencyMin: input.minRetryConcurrency ?? d.concurrencyMin,
    intervalMs: toMs(input.budgetInterval, d.intervalMs),
  };
}

function linkerd(merged: Merged<LinkerdBudgetInput>, report: Report): RetryBudgetPolicy {
  const d = LINKERD_BUDGET_DEFAULTS;
  const input = merged.value;
  const ttlMs = toMs(input.ttl, d.ttlMs);
  if (ttlMs < TTL_MS_MIN || ttlMs > TTL_MS_MAX) report.error(merged.pathOf('ttl'), 'retryBudget: ttl must be from 1s to 1m, as in Linkerd');
  return {
    kind: 'linkerd',
    ratio: input.retryRatio ?? d.ratio,
    retriesPerSecondMin: input.minRetriesPerSecond ?? d.retriesPerSecondMin,
    ttlMs,
  };
}

function gatewayApi(input: GatewayApiBudgetInput): RetryBudgetPolicy {
  const d = GATEWAY_API_BUDGET_DEFAULTS;
  return {
    kind: 'gateway-api',
    percent: input.budget?.percent ?? d.percent,
    intervalMs: toMs(input.budget?.interval, d.intervalMs),
    rateMinCount: input.minRetryRate?.count ?? d.rateMinCount,
    rateMinIntervalMs: toMs(input.minRetryRate?.interval, d.rateMinIntervalMs),
  };
}

function grpc(input: GrpcBudgetInput): RetryBudgetPolicy {
  const d = GRPC_BUDGET_DEFAULTS;
  return { kind: 'grpc', tokensMax: input.maxTokens ?? d.tokensMax, tokenRatio: input.tokenRatio ?? d.tokenRatio };
}
