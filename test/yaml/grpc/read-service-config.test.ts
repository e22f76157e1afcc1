// gRPC service configs, read as policies: what they become, what is lost, what is refused; and a mesh that takes them.
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/model/resolve.ts';
import { readServiceConfig } from '../../../src/yaml/grpc/read-service-config.ts';

const RETRY = { maxAttempts: 4, initialBackoff: '0.1s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE', 8] };

describe('a service config', () => {
  it('becomes routes, the most exact first', () => {
    const { policies, losses } = readServiceConfig({
      methodConfig: [
        { name: [{}], timeout: '10s' },
        { name: [{ service: 'a.B' }], retryPolicy: RETRY },
        { name: [{ service: 'a.B', method: 'C' }], timeout: '1.5s', retryPolicy: RETRY },
      ],
      retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
      loadBalancingConfig: [{ round_robin: {} }],
    });
    const retries = {
      attempts: 3,
      methods: ['*'],
      retryOn: ['connect-failure', 'refused-stream'],
      grpcStatuses: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
      backoff: { base: 100, max: 1_000 },
    };
    expect(policies).toEqual({
      routes: [
        { name: 'grpc-a.B-C', match: { path: { exact: '/a.B/C' } }, timeout: 1_500, retries },
        { name: 'grpc-a.B', match: { path: { prefix: '/a.B/' } }, retries },
        { name: 'grpc-all', timeout: 10_000, retries: { retryOn: ['connect-failure', 'refused-stream'] } },
      ],
      retryBudget: { mode: 'grpc', maxTokens: 10, tokenRatio: 0.1 },
      loadBalancer: 'roundRobin',
    });
    expect(losses).toEqual([]);
    const result = resolveConfig({ services: { reviews: { endpoints: ['10.0.0.1:80'], ...policies } } });
    expect('config' in result ? result.config.services['reviews']?.routes.map((route) => route.retries?.grpcStatuses) : result).toEqual([
      [14, 8],
      [14, 8],
      undefined,
    ]);
  });

  it('with hedging becomes a hedge and what it may repeat', () => {
    const { policies, losses } = readServiceConfig(
      JSON.stringify({
        methodConfig: [{ name: [{}], hedgingPolicy: { maxAttempts: 3, hedgingDelay: '0.05s', nonFatalStatusCodes: ['INTERNAL'] } }],
      }),
    );
    expect(policies.routes?.[0]).toMatchObject({
      idempotent: { extraLoad: 0.5, initialDelay: 50 },
      retries: { attempts: 2, grpcStatuses: ['INTERNAL'] },
    });
    expect(losses.length).toBe(2);
  });

  it('with a time for attempts repeats those that are late; the first pause is no longer than the longest', () => {
    const retryPolicy = { ...RETRY, initialBackoff: '5s', perAttemptRecvTimeout: '0.25s' };
    const { policies, losses } = readServiceConfig({ methodConfig: [{ name: [{}], retryPolicy }] });
    expect(policies.routes?.[0]?.retries).toMatchObject({
      perTryTimeout: 250,
      retryOn: ['connect-failure', 'refused-stream', 'per-try-timeout'],
      backoff: { base: 1_000, max: 1_000 },
    });
    expect(losses).toEqual([]);
  });

  it('passes over what it does not know, and says so; all its faults are told at once', () => {
    const { losses } = readServiceConfig({ methodConfig: [], future: 1 });
    expect(losses).toEqual(['unknown key "future" in the configuration']);
    const faulty = { methodConfig: [{ name: [{}], timeout: 5 }, { name: [] }] };
    expect(() => readServiceConfig(faulty)).toThrow(/^methodConfig\[0\]\.timeout must be .*; methodConfig\[1\]\.name must be a list/);
  });

  it('makes five attempts at most', () => {
    const { policies } = readServiceConfig({ methodConfig: [{ name: [{}], retryPolicy: { ...RETRY, maxAttempts: 20 } }] });
    expect(policies.routes?.[0]?.retries).toMatchObject({ attempts: 4 });
  });

  it.each<[string, object, string]>([
    ['no list', { methodConfig: {} }, 'methodConfig must be a list, not a mapping'],
    ['no name', { methodConfig: [{}] }, 'methodConfig[0].name is missing'],
    [
      'a method alone',
      { methodConfig: [{ name: [{ method: 'C' }] }] },
      'methodConfig[0].name[0] has a method without its service; add service',
    ],
    [
      'a bad duration',
      { methodConfig: [{ name: [{}], timeout: '5m' }] },
      'methodConfig[0].timeout must be a duration in seconds, such as 0.5s, not "5m"',
    ],
    [
      'one attempt',
      { methodConfig: [{ name: [{}], retryPolicy: { ...RETRY, maxAttempts: 1 } }] },
      'methodConfig[0].retryPolicy.maxAttempts must be a whole number from 2, not 1',
    ],
    [
      'no status',
      { methodConfig: [{ name: [{}], retryPolicy: { ...RETRY, retryableStatusCodes: ['OK'] } }] },
      'methodConfig[0].retryPolicy.retryableStatusCodes[0] must be a gRPC status such as UNAVAILABLE, not "OK"',
    ],
    [
      'both',
      { methodConfig: [{ name: [{}], retryPolicy: RETRY, hedgingPolicy: { maxAttempts: 2 } }] },
      'methodConfig[0]: retryPolicy and hedgingPolicy exclude each other',
    ],
  ])('with %s is refused', (_name, config, message) => {
    expect(() => readServiceConfig(config)).toThrow(new TypeError(message));
  });

  it.each<[object, string]>([
    [{ methodConfig: [{ name: [{}], waitForReady: true }] }, 'waitForReady'],
    [{ methodConfig: [{ name: [{}], maxRequestMessageBytes: 5 }] }, 'maxRequestMessageBytes'],
    [{ methodConfig: [{ name: [{}], retryPolicy: { ...RETRY, backoffMultiplier: 3 } }] }, 'backoffMultiplier'],
    [{ methodConfig: [{ name: [{}], maxResponseMessageBytes: '5' }] }, 'maxResponseMessageBytes'],
    [{ loadBalancingConfig: [{ pick_first: {} }] }, 'pick_first'],
    [{ loadBalancingPolicy: 'ROUND_ROBIN' }, 'loadBalancingPolicy'],
    [{ healthCheckConfig: { serviceName: 'a' } }, 'healthCheckConfig'],
  ])('%j: says what is lost', (config, word) => {
    expect(readServiceConfig(config).losses.join()).toContain(word);
  });
});
