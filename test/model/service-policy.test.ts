import { describe, expect, it } from 'vitest';
import type { ServiceConfig } from '../../src/model/config.ts';
import { ADAPTIVE_LIMIT_DEFAULTS, BUDGET_DEFAULTS, LIMITS_DEFAULTS, THROTTLE_DEFAULTS } from '../../src/model/destination.ts';
import { ADMISSION_DEFAULTS } from '../../src/model/inbound.ts';
import type { PolicyInput } from '../../src/model/input-policy.ts';
import type { InboundInput, MeshInput } from '../../src/model/input.ts';
import {
  ENVOY_BUDGET_DEFAULTS,
  GATEWAY_API_BUDGET_DEFAULTS,
  GRPC_BUDGET_DEFAULTS,
  LINKERD_BUDGET_DEFAULTS,
} from '../../src/model/retry-budget.ts';
import { good, saidOf, saidOfService, serviceOf } from './resolved.ts';

const adaptive = (more: object): Partial<ServiceConfig> => ({
  limits: { ...LIMITS_DEFAULTS, adaptive: { ...ADAPTIVE_LIMIT_DEFAULTS, ...more } },
});

const rows: [name: string, input: PolicyInput, expected: Partial<ServiceConfig>][] = [
  ['our budget', { retryBudget: { mode: 'inmesh' } }, { retryBudget: BUDGET_DEFAULTS }],
  ['no budget', { retryBudget: false }, { retryBudget: { kind: 'none' } }],
  ["Envoy's budget", { retryBudget: { mode: 'envoy' } }, { retryBudget: ENVOY_BUDGET_DEFAULTS }],
  [
    "Envoy's budget with everything",
    { retryBudget: { mode: 'envoy', percent: 0, minRetryConcurrency: 0, budgetInterval: '1s' } },
    { retryBudget: { kind: 'envoy', percent: 0, concurrencyMin: 0, intervalMs: 1_000 } },
  ],
  ["Linkerd's budget", { retryBudget: { mode: 'linkerd' } }, { retryBudget: LINKERD_BUDGET_DEFAULTS }],
  [
    "Linkerd's budget with everything",
    { retryBudget: { mode: 'linkerd', retryRatio: 1.5, minRetriesPerSecond: 0, ttl: '1m' } },
    { retryBudget: { kind: 'linkerd', ratio: 1.5, retriesPerSecondMin: 0, ttlMs: 60_000 } },
  ],
  ['the budget of Gateway API', { retryBudget: { mode: 'gateway-api' } }, { retryBudget: GATEWAY_API_BUDGET_DEFAULTS }],
  [
    'the budget of Gateway API with everything',
    { retryBudget: { mode: 'gateway-api', budget: { percent: 5, interval: '1s' }, minRetryRate: { count: 1, interval: '2s' } } },
    { retryBudget: { kind: 'gateway-api', percent: 5, intervalMs: 1_000, rateMinCount: 1, rateMinIntervalMs: 2_000 } },
  ],
  ['the budget of gRPC', { retryBudget: { mode: 'grpc' } }, { retryBudget: GRPC_BUDGET_DEFAULTS }],
  [
    'the budget of gRPC with everything',
    { retryBudget: { mode: 'grpc', maxTokens: 1_000, tokenRatio: 0.001 } },
    { retryBudget: { kind: 'grpc', tokensMax: 1_000, tokenRatio: 0.001 } },
  ],
  ['learnt limits', { limits: { adaptive: true } }, adaptive({})],
  ['no learnt limits', { limits: { adaptive: false } }, { limits: LIMITS_DEFAULTS }],
  [
    'learnt limits with everything',
    { limits: { maxRetries: 3, adaptive: { initial: 5, min: 2, max: 9, decrease: 0.5 } } },
    { limits: { ...LIMITS_DEFAULTS, maxRetries: 3, adaptive: { initial: 5, min: 2, max: 9, decrease: 0.5 } } },
  ],
  ['learnt limits below the default', { limits: { adaptive: { max: 5 } } }, adaptive({ initial: 5, max: 5 })],
  ['learnt limits above the default', { limits: { adaptive: { min: 2_000 } } }, adaptive({ initial: 2_000, min: 2_000, max: 2_000 })],
  ['throttling', { throttle: true }, { throttle: THROTTLE_DEFAULTS }],
  ['no throttling', { throttle: false }, { throttle: null }],
  [
    'throttling with everything',
    { throttle: { k: 1.5, window: '1s', minRps: 0, maxReject: 1 } },
    { throttle: { k: 1.5, windowMs: 1_000, rpsMin: 0, rejectMax: 1 } },
  ],
  ['a rate', { rateLimit: { requests: 5, per: '50ms' } }, { rateLimit: { tokensMax: 5, tokensPerFill: 5, fillMs: 50 } }],
];

describe('a service takes', () => {
  it.each(rows)('%s, here or in defaults', (_name, input, expected) => {
    expect(serviceOf(input)).toMatchObject(expected);
    expect(serviceOf({}, input)).toMatchObject(expected);
    expect(saidOfService(input)).toEqual([]);
  });
});

describe('the nearer level', () => {
  it('drops what belongs to another budget', () => {
    const envoy: PolicyInput = { retryBudget: { mode: 'envoy', percent: 50 } };
    expect(serviceOf({ retryBudget: { mode: 'grpc' } }, envoy).retryBudget).toEqual(GRPC_BUDGET_DEFAULTS);
    expect(serviceOf({ retryBudget: { minRetryConcurrency: 1 } as never }, envoy).retryBudget).toMatchObject({
      percent: 50,
      concurrencyMin: 1,
    });
    expect(serviceOf({ retryBudget: {} }, { retryBudget: false }).retryBudget).toEqual(BUDGET_DEFAULTS);
    expect(serviceOf({ retryBudget: false }, envoy).retryBudget).toEqual({ kind: 'none' });
  });

  it('keeps what farther ones say under true', () => {
    expect(serviceOf({ throttle: true }, { throttle: { k: 3 } }).throttle).toEqual({ ...THROTTLE_DEFAULTS, k: 3 });
    expect(serviceOf({ throttle: { k: 3 } }, { throttle: false }).throttle).toEqual({ ...THROTTLE_DEFAULTS, k: 3 });
    expect(serviceOf({ limits: { adaptive: true } }, { limits: { adaptive: { max: 30 } } }).limits.adaptive?.max).toBe(30);
    expect(serviceOf({ limits: { maxRetries: 1 } }, { limits: { adaptive: true } }).limits).toMatchObject({
      maxRetries: 1,
      adaptive: ADAPTIVE_LIMIT_DEFAULTS,
    });
  });

  it('may say a part of a rate', () => {
    const defaults: PolicyInput = { rateLimit: { requests: 100 } };
    expect(serviceOf({ rateLimit: { burst: 500 } }, defaults).rateLimit).toEqual({ tokensMax: 500, tokensPerFill: 100, fillMs: 1_000 });
    expect(serviceOf({ rateLimit: false }, defaults).rateLimit).toBeUndefined();
  });
});

describe('a server takes', () => {
  const inbound: [name: string, input: InboundInput, expected: unknown][] = [
    ['as much as it can', {}, ADMISSION_DEFAULTS],
    ['the same', { admission: true }, ADMISSION_DEFAULTS],
    ['everything', { admission: false }, null],
    [
      'what it is told',
      {
        admission: {
          minLimit: 1,
          maxLimit: 9,
          initialLimit: 5,
          decrease: 0.5,
          eventLoopDelay: '0s',
          latencyFactor: 0,
          sheddableShare: 1,
          retryAfter: '5s',
        },
      },
      {
        limitMin: 1,
        limitMax: 9,
        limitInitial: 5,
        decrease: 0.5,
        eventLoopDelayMs: 0,
        latencyFactor: 0,
        sheddableShare: 1,
        retryAfterMs: 5_000,
      },
    ],
    ['a limit below the default', { admission: { maxLimit: 2 } }, { ...ADMISSION_DEFAULTS, limitMin: 2, limitInitial: 2, limitMax: 2 }],
  ];
  it.each(inbound)('%s', (_name, input, expected) => {
    expect(good({ inbound: input }).inbound.admission).toEqual(expected);
  });
});

describe('what is said of', () => {
  const service: [name: string, input: unknown, expected: readonly string[]][] = [
    [
      'a key of another budget',
      { retryBudget: { mode: 'grpc', tokens: 5 } },
      [
        'retryBudget.tokens: error retryBudget: tokens belongs to mode: inmesh, but the mode is grpc (retryBudget.mode); change the mode, or remove tokens',
      ],
    ],
    [
      'a key of a budget that nobody chose',
      { retryBudget: { retryRatio: 0.2 } },
      ['retryBudget.retryRatio: error retryBudget: retryRatio belongs to mode: linkerd, which is not set; add it, or remove retryRatio'],
    ],
    [
      'a short life',
      { retryBudget: { mode: 'linkerd', ttl: '500ms' } },
      ['retryBudget.ttl: error retryBudget: ttl must be from 1s to 1m, as in Linkerd'],
    ],
    [
      'a limit that starts too high',
      { limits: { adaptive: { initial: 50, max: 20 } } },
      ['limits.adaptive.max: error adaptive: max is below initial; raise max or lower initial'],
    ],
    [
      'a limit the wrong way round',
      { limits: { adaptive: { min: 50, max: 20 } } },
      ['limits.adaptive.max: error adaptive: max is below min; raise max or lower min'],
    ],
    [
      'a limit that never falls',
      { limits: { adaptive: { decrease: 1 } } },
      ['limits.adaptive.decrease: error limits.adaptive.decrease must be a number between 0 and 1, not 1'],
    ],
    ['throttling of what is accepted', { throttle: { k: 0.5 } }, ['throttle.k: error throttle.k must be a number from 1, not 0.5']],
    ['a rate of nothing', { rateLimit: { burst: 5 } }, ['rateLimit: error rateLimit needs requests, how many calls in each per; add it']],
    ['a rate that is on', { rateLimit: true }, ['rateLimit: error rateLimit must be false, or a mapping, not true']],
  ];
  it.each(service)('%s', (_name, input, expected) => {
    expect(saidOfService(input)).toEqual(expected);
  });

  const inbound: [name: string, input: MeshInput['inbound'], expected: readonly string[]][] = [
    [
      'a factor that is always exceeded',
      { admission: { latencyFactor: 1 } },
      ['inbound.admission.latencyFactor: error admission: latencyFactor must be above 1, or 0 to switch the detector off'],
    ],
    [
      'a start below the least',
      { admission: { minLimit: 10, initialLimit: 5 } },
      ['inbound.admission.initialLimit: error admission: initialLimit is below minLimit; raise initialLimit or lower minLimit'],
    ],
  ];
  it.each(inbound)('%s', (_name, input, expected) => {
    expect(saidOf({ inbound: input })).toEqual(expected);
  });
});
