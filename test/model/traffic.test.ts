import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../src/model/config.ts';
import type { RouteInput } from '../../src/model/input.ts';
import { CACHE_DEFAULTS, COALESCE_DEFAULTS, FAULT_DEFAULTS, HEDGE_DEFAULTS, MIRROR_DEFAULTS } from '../../src/model/traffic.ts';
import { routesOf, saidOf, saidOfRoute } from './resolved.ts';

const respond = (): { status: number } => ({ status: 200 });

describe('a route takes', () => {
  const rows: [name: string, input: RouteInput, expected: Partial<RouteConfig>][] = [
    ['nothing', {}, { mirrors: [], idempotent: false }],
    [
      'a delay',
      { fault: { delay: { fixedDelay: '2s', percentage: 10 } } },
      { fault: { ...FAULT_DEFAULTS, delay: { fixedMs: 2_000, percent: 10 }, headers: {} } },
    ],
    [
      'an abort, as Istio writes the percentage',
      { fault: { abort: { httpStatus: 503, percentage: { value: 0.1 } } } },
      { fault: { ...FAULT_DEFAULTS, abort: { status: 503, percent: 0.1 }, headers: {} } },
    ],
    [
      'an abort by name',
      { fault: { abort: { grpcStatus: 'UNAVAILABLE', percentage: 1 } } },
      { fault: { ...FAULT_DEFAULTS, abort: { status: 200, grpcStatus: 14, percent: 1 }, headers: {} } },
    ],
    [
      'an abort by number',
      { fault: { abort: { grpcStatus: 16, percentage: 1 } } },
      { fault: { ...FAULT_DEFAULTS, abort: { status: 200, grpcStatus: 16, percent: 1 }, headers: {} } },
    ],
    [
      'a fault with everything',
      {
        fault: {
          delay: { fixedDelay: 5, percentage: 100 },
          position: 'call',
          headers: { 'X-Chaos': 'on', b: { present: true } },
          by: 'random',
          maxActive: 3,
          blastRadius: 5,
          until: '2026-12-01T01:00:00+01:00',
        },
      },
      {
        fault: {
          delay: { fixedMs: 5, percent: 100 },
          position: 'call',
          headers: { 'x-chaos': { kind: 'exact', value: 'on', invert: false }, b: { kind: 'present', invert: false } },
          by: 'random',
          activeMax: 3,
          blastPercent: 5,
          untilWallMs: Date.UTC(2026, 11, 1),
        },
      },
    ],
    ['the end of a fault in ms', { fault: { delay: { fixedDelay: 1, percentage: 1 }, until: 5 } }, { fault: { untilWallMs: 5 } as never }],
    ['a mirror', { mirror: 'v2' }, { mirrors: [{ ...MIRROR_DEFAULTS, target: { service: 'a', subset: 'v2', weight: 1 } }] }],
    [
      'a mirror of one target',
      { to: { v1: 1, b: 1 }, mirror: { to: 'v2', of: 'v1' } },
      { mirrors: [{ ...MIRROR_DEFAULTS, target: { service: 'a', subset: 'v2', weight: 1 }, of: { service: 'a', subset: 'v1' } }] },
    ],
    [
      'several mirrors',
      { mirror: ['b', { to: 'v1', percent: 10, hostSuffix: '', strip: ['X-Token', 'x-token'], bodyLimit: '1KiB' }] },
      {
        mirrors: [
          { ...MIRROR_DEFAULTS, target: { service: 'b', weight: 1 } },
          {
            target: { service: 'a', subset: 'v1', weight: 1 },
            percent: 10,
            hostSuffix: '',
            stripHeaders: ['x-token'],
            bodyBytesMax: 1_024,
          },
        ],
      },
    ],
    [
      'a mirror that strips nothing',
      { mirror: { to: 'b', strip: [] } },
      { mirrors: [{ ...MIRROR_DEFAULTS, target: { service: 'b', weight: 1 }, stripHeaders: [] }] },
    ],
    ['a rate', { rateLimit: { requests: 100 } }, { rateLimit: { tokensMax: 100, tokensPerFill: 100, fillMs: 1_000 } }],
    [
      'a rate with bursts',
      { rateLimit: { requests: 100, per: '1m', burst: 200 } },
      { rateLimit: { tokensMax: 200, tokensPerFill: 100, fillMs: 60_000 } },
    ],
    ['repetition', { idempotent: true }, { idempotent: true }],
    ['no repetition', { idempotent: false }, { idempotent: false }],
    ['hedging', { idempotent: { extraLoad: 0.03 } }, { idempotent: true, hedge: { ...HEDGE_DEFAULTS, extraLoad: 0.03 } }],
    [
      'hedging with its delays',
      { idempotent: { extraLoad: 0.5, initialDelay: '10ms', minDelay: '5ms' } },
      { idempotent: true, hedge: { extraLoad: 0.5, delayInitialMs: 10, delayMinMs: 5 } },
    ],
    [
      'a least delay above the first guess that nobody wrote',
      { idempotent: { extraLoad: 0.1, minDelay: '80ms' } },
      { hedge: { extraLoad: 0.1, delayInitialMs: 80, delayMinMs: 80 } },
    ],
    ['a cache', { cache: true }, { cache: CACHE_DEFAULTS }],
    ['no cache', { cache: false }, {}],
    [
      'a cache with everything',
      { cache: { entries: 1, size: '1MiB', bodyLimit: 10, fresh: false, staleIfError: '1s', jitter: 0 } },
      { cache: { entriesMax: 1, bytesMax: 1_048_576, bodyBytesMax: 10, fresh: false, staleIfErrorMs: 1_000, jitter: 0 } },
    ],
    ['a small cache', { cache: { size: '1KiB' } }, { cache: { ...CACHE_DEFAULTS, bytesMax: 1_024, bodyBytesMax: 1_024 } }],
    ['coalescing', { coalesce: true }, { coalesce: COALESCE_DEFAULTS }],
    [
      'coalescing with everything',
      { coalesce: { maxWaiters: 5, headers: ['Accept'], bodyLimit: '2MiB' } },
      { coalesce: { waitersMax: 5, headers: ['accept'], bodyBytesMax: 2_097_152 } },
    ],
    [
      'a fallback',
      { fallback: { body: 'later' } },
      { fallback: { statuses: [[500, 599]], answer: { status: 200, headers: {}, body: 'later' } } },
    ],
    [
      'a fallback with everything',
      { fallback: { status: 503, headers: { 'X-A': 'b' }, body: '', on: [429, '500', '502-504'] } },
      {
        fallback: {
          statuses: [
            [429, 429],
            [500, 500],
            [502, 504],
          ],
          answer: { status: 503, headers: { 'x-a': 'b' }, body: '' },
        },
      },
    ],
    ['a fallback that is a function', { fallback: { respond } }, { fallback: { statuses: [[500, 599]], answer: respond } }],
    ['a criticality', { criticality: 'sheddable' }, { criticality: 0 }],
  ];
  it.each(rows)('%s', (_name, input, expected) => {
    expect(routesOf({ ...input, match: { path: '/x' } })[0]).toMatchObject(expected);
  });

  it('only what it was given', () => {
    expect(Object.keys(routesOf({ cache: false, coalesce: false, match: { path: '/x' } })[0] as object).sort()).toEqual([
      'dialect',
      'idempotent',
      'matches',
      'mirrors',
      'name',
      'targets',
    ]);
  });
});

describe('a route does not take', () => {
  const rows: [name: string, input: unknown, said: readonly string[]][] = [
    ['a fault of nothing', { fault: {} }, ['fault: error fault needs delay, abort, or both']],
    [
      'a percentage that nobody wrote',
      { fault: { delay: { fixedDelay: '1s' } } },
      ['fault.delay.percentage: error fault.delay.percentage is missing'],
    ],
    [
      'a percentage above 100',
      { fault: { delay: { fixedDelay: '1s', percentage: 101 } } },
      ['fault.delay.percentage: error fault.delay.percentage must be a number from 0 to 100, not 101'],
    ],
    [
      'an abort with two statuses',
      { fault: { abort: { httpStatus: 503, grpcStatus: 'UNAVAILABLE', percentage: 1 } } },
      ['fault.abort.grpcStatus: error fault.abort has both httpStatus and grpcStatus; keep one'],
    ],
    [
      'an abort without a status',
      { fault: { abort: { percentage: 1 } } },
      ['fault.abort: error fault.abort needs one of httpStatus, grpcStatus'],
    ],
    [
      'a status that is no answer',
      { fault: { abort: { httpStatus: 600, percentage: 1 } } },
      ['fault.abort.httpStatus: error fault.abort.httpStatus must be a whole number from 200 to 599, not 600'],
    ],
    [
      'an end without an offset',
      { fault: { delay: { fixedDelay: 1, percentage: 1 }, until: '2026-12-01' } },
      [
        'fault.until: error fault.until must be a point in time with its offset, such as 2026-12-01T00:00:00Z, or a number of ms since 1970, not "2026-12-01"',
      ],
    ],
    [
      'a day that there is not',
      { fault: { delay: { fixedDelay: 1, percentage: 1 }, until: '2026-02-29T00:00:00Z' } },
      ['fault.until: error fault.until must be a point in time that there is, such as 2026-12-01T00:00:00Z, not "2026-02-29T00:00:00Z"'],
    ],
    ['a mirror to nobody', { mirror: 'v9' }, ['mirror: error "v9" is neither a subset of service "a" nor a service']],
    [
      'one of two mirrors to nobody',
      { mirror: ['v1', { to: 'v9' }] },
      ['mirror[1].to: error "v9" is neither a subset of service "a" nor a service'],
    ],
    [
      'a suffix that no host has',
      { mirror: { to: 'v1', hostSuffix: '/x' } },
      ['mirror.hostSuffix: error mirror.hostSuffix must be letters, digits, "." and "-", not "/x"'],
    ],
    ['a rate of nothing', { rateLimit: {} }, ['rateLimit: error rateLimit needs requests, how many calls in each per; add it']],
    [
      'a burst below the rate',
      { rateLimit: { requests: 10, burst: 5 } },
      ['rateLimit.burst: error rateLimit: burst is below requests, so that many never pass; raise burst or lower requests'],
    ],
    [
      'a fill below 50 ms',
      { rateLimit: { requests: 10, per: '10ms' } },
      ['rateLimit.per: error rateLimit: per must be at least 50ms; write the calls of a longer time, such as per: 1s'],
    ],
    ['hedging without a share', { idempotent: {} }, ['idempotent.extraLoad: error idempotent.extraLoad is missing']],
    [
      'hedging of everything',
      { idempotent: { extraLoad: 0.6 } },
      ['idempotent.extraLoad: error idempotent.extraLoad must be a number above 0, at most 0.5, not 0.6'],
    ],
    [
      'delays the wrong way round',
      { idempotent: { extraLoad: 0.1, initialDelay: '1ms', minDelay: '2ms' } },
      ['idempotent.initialDelay: error idempotent: initialDelay is below minDelay; raise initialDelay or lower minDelay'],
    ],
    [
      'a cache smaller than one answer',
      { cache: { size: '1KiB', bodyLimit: '2KiB' } },
      ['cache.size: error cache: size is below bodyLimit; raise size or lower bodyLimit'],
    ],
    [
      'a cache that never answers',
      { cache: { fresh: false, staleIfError: '0s' } },
      ['cache: error cache: with fresh: false and staleIfError: 0s nothing kept is ever given; change one, or remove cache'],
    ],
    ['a cache of 2 GiB', { cache: { size: '2048MiB' } }, ['cache.size: error cache.size must be at most 1024MiB, not "2048MiB"']],
    [
      'a fallback without an answer',
      { fallback: { on: [500] } },
      ['fallback: error fallback does not say what to answer; add status, headers, or body'],
    ],
    [
      'a function beside an answer',
      { fallback: { respond, body: 'x' } },
      ['fallback.body: error fallback has both respond and body; let respond say the body, or remove it'],
    ],
    [
      'a fallback on success',
      { fallback: { body: 'x', on: ['200-599'] } },
      ['fallback.on[0]: error fallback.on[0] must be a status from 400 to 599, or a range such as 500-599, not "200-599"'],
    ],
    [
      'a range upside down',
      { fallback: { body: 'x', on: ['504-502'] } },
      ['fallback.on[0]: error fallback.on[0] must be a status from 400 to 599, or a range such as 500-599, not "504-502"'],
    ],
    [
      'a body that cannot be',
      { fallback: { status: 204, body: 'x' } },
      ['fallback.body: error an answer with status 204 has no body; remove body, or change the status'],
    ],
    [
      'a header of the connection',
      { fallback: { headers: { 'Content-Length': '5' } } },
      ['fallback.headers.Content-Length: error fallback.headers must not touch "Content-Length": the connection sets it'],
    ],
    [
      'a criticality that there is not',
      { criticality: 'sheddableplus' },
      ['criticality: error criticality must be one of sheddable, sheddablePlus, critical, criticalPlus, not "sheddableplus"'],
    ],
    [
      'ignoreCase where nothing is compared letter by letter',
      { match: { path: { regex: '/a', ignoreCase: true } } },
      ['match.path.ignoreCase: error ignoreCase is for exact and prefix, not for regex; write (?i) at its front'],
    ],
  ];
  it.each(rows)('%s', (_name, input, said) => {
    expect(saidOfRoute(input)).toEqual(said);
  });

  it('a function in a file', () => {
    const input = { services: { a: { endpoints: ['x:1'], routes: [{ fallback: { respond } }] } } };
    expect(saidOf(input, { numericDurations: false })[0]).toBe(
      'services.a.routes[0].fallback.respond: error unknown key "respond" in services.a.routes[0].fallback',
    );
  });

  it('numbers of ms in a file', () => {
    const fault = { delay: { fixedDelay: '1s', percentage: 1 }, until: 5 };
    expect(saidOfRoute({ fault }, { numericDurations: false })).toEqual([
      'fault.until: error fault.until must be a point in time with its offset, such as 2026-12-01T00:00:00Z, not 5',
    ]);
  });
});
