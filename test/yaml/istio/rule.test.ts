// What one rule of a VirtualService does: destinations, headers, rewrites, retries, faults, copies.
import { describe, expect, it } from 'vitest';
import type { RouteConfig } from '../../../src/model/config.ts';
import { documents, SERVICES, SUBSETS, virtualService } from './documents.ts';
import { goodText, issuesOfText } from './load-text.ts';

const TO = 'route: [ { destination: { host: reviews } } ]';

async function rule(fields: string): Promise<RouteConfig> {
  const config = await goodText(documents(SERVICES, SUBSETS, virtualService(`[ { ${fields} } ]`)));
  return config.services.reviews?.routes[0] as RouteConfig;
}

/** As plain objects, so that they compare. */
function plain<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

describe('destinations', () => {
  it.each([
    ['one takes all, whatever its weight', '[ { destination: { host: reviews, subset: v1 }, weight: 0 } ]', ['reviews v1 1']],
    ['one without weight', '[ { destination: { host: ratings } } ]', ['ratings - 1']],
    [
      'several by weight, of any sum',
      '[ { destination: { host: reviews, subset: v1 }, weight: 1 }, { destination: { host: reviews, subset: v2 }, weight: 4 } ]',
      ['reviews v1 1', 'reviews v2 4'],
    ],
    [
      'one of several without weight is never drawn',
      '[ { destination: { host: reviews, subset: v1 }, weight: 5 }, { destination: { host: ratings } } ]',
      ['reviews v1 5', 'ratings - 0'],
    ],
    ['a host in full', '[ { destination: { host: ratings.default.svc.cluster.local } } ]', ['ratings - 1']],
    ['a port of a service that has one for all', '[ { destination: { host: ratings, port: { number: 9080 } } } ]', ['ratings - 1']],
  ])('%s', async (_name, route, expected) => {
    const { targets } = await rule(`route: ${route}`);
    expect(targets.map(({ service, subset = '-', weight }) => `${service} ${subset} ${weight}`)).toEqual(expected);
    expect(targets.every(({ fails }) => fails === undefined)).toBe(true);
  });

  it.each([
    ['a subset that nobody has defined', '{ host: reviews, subset: v9 }', 'reviews.default.svc.cluster.local has no subset v9'],
    ['a host that nobody knows', '{ host: nobody }', 'no service has the host nobody.default.svc.cluster.local'],
    ['a host of another namespace', '{ host: ratings.other }', 'no service has the host ratings.other'],
  ])('%s is answered 503 NC, and said', async (_name, destination, reason) => {
    const text = documents(SERVICES, SUBSETS, virtualService(`[ { route: [ { destination: ${destination} } ] } ]`));
    const [target] = (await goodText(text)).services.reviews?.routes[0]?.targets ?? [];
    expect(target?.fails).toEqual({ status: 503, flag: 'NC', reason });
    expect(await issuesOfText(text)).toEqual([`22:37 warning IST0101 ${reason}; its calls are answered 503`]);
  });
});

describe('headers', () => {
  const WHOLE =
    '{ request: { remove: [r, both], set: { a: rule, s: rule }, add: { b: rule } }, response: { set: { a: rule }, add: { b: rule } } }';
  const OWN = '{ request: { remove: [s], set: { a: own }, add: { b: own, both: own } }, response: { set: { a: own }, remove: [c] } }';

  it('of a rule and its one destination: the destination has the last word, what is removed goes first', async () => {
    const { requestHeaders, responseHeaders, targets } = await rule(
      `headers: ${WHOLE}, route: [ { destination: { host: reviews }, headers: ${OWN} } ]`,
    );
    expect(plain(requestHeaders)).toEqual({
      remove: ['r', 'both', 's'],
      set: { s: 'rule', a: 'own' },
      add: { b: 'rule', both: 'own' },
      append: [['b', 'own']],
    });
    expect(plain(responseHeaders)).toEqual({ remove: ['c'], set: { a: 'own' }, add: { b: 'rule' } });
    expect([targets[0]?.requestHeaders, targets[0]?.responseHeaders]).toEqual([undefined, undefined]);
  });

  it('of a rule and one of several destinations: the rule has the last word', async () => {
    const route = `[ { destination: { host: reviews, subset: v1 }, weight: 1, headers: ${OWN} }, { destination: { host: reviews, subset: v2 }, weight: 1 } ]`;
    const { requestHeaders, responseHeaders, targets } = await rule(`headers: ${WHOLE}, route: ${route}`);
    expect(requestHeaders).toBe(undefined);
    expect(plain(targets[0]?.requestHeaders)).toEqual({
      remove: ['s', 'r', 'both'],
      set: { a: 'rule', s: 'rule' },
      add: { b: 'own' },
      append: [['b', 'rule']],
    });
    expect(plain(targets[1]?.requestHeaders)).toEqual({ remove: ['r', 'both'], set: { a: 'rule', s: 'rule' }, add: { b: 'rule' } });
    // On the way back the destination comes first by itself.
    expect(plain(responseHeaders)).toEqual({ remove: [], set: { a: 'rule' }, add: { b: 'rule' } });
    expect(plain(targets[0]?.responseHeaders)).toEqual({ remove: ['c'], set: { a: 'own' }, add: {} });
  });

  it('that do not meet stay where they were written', async () => {
    const route =
      '[ { destination: { host: reviews, subset: v1 }, weight: 1, headers: { request: { set: { y: "1" } } } }, { destination: { host: reviews, subset: v2 }, weight: 1 } ]';
    const { requestHeaders, targets } = await rule(`headers: { request: { set: { X: "1" } } }, route: ${route}`);
    expect([plain(requestHeaders)?.set, targets.map(({ requestHeaders: own }) => plain(own)?.set)]).toEqual([
      { x: '1' },
      [{ y: '1' }, undefined],
    ]);
  });

  it.each([
    ['by set', `headers: { request: { set: { Host: a.example } } }, ${TO}`, 'a.example'],
    ['by add', `headers: { request: { add: { ":authority": "a.example:8080" } } }, ${TO}`, 'a.example:8080'],
    ['by rewrite', `rewrite: { authority: a.example }, ${TO}`, 'a.example'],
    [
      'by the one destination',
      'route: [ { destination: { host: reviews }, headers: { request: { set: { host: b.example } } } } ]',
      'b.example',
    ],
    [
      'by the rule rather than the destination',
      'rewrite: { authority: a.example }, route: [ { destination: { host: reviews }, headers: { request: { set: { host: b.example } } } } ]',
      'a.example',
    ],
  ])('set the host %s', async (_name, fields, authority) => {
    const { rewrite, requestHeaders, targets } = await rule(fields);
    expect([rewrite, requestHeaders, targets[0]?.rewrite]).toEqual([{ authority }, undefined, undefined]);
  });

  it('set the host for one of several destinations, unless the rule does', async () => {
    const route =
      '[ { destination: { host: reviews, subset: v1 }, weight: 1, headers: { request: { set: { host: b.example } } } }, { destination: { host: reviews, subset: v2 }, weight: 1 } ]';
    expect((await rule(`route: ${route}`)).targets.map(({ rewrite }) => rewrite?.authority)).toEqual(['b.example', undefined]);
    const both = await rule(`rewrite: { authority: a.example }, route: ${route}`);
    expect([both.rewrite, both.targets.map(({ rewrite }) => rewrite)]).toEqual([{ authority: 'a.example' }, [undefined, undefined]]);
  });

  it("keeps Envoy's notation where it says something", async () => {
    const only = await rule(`headers: { request: { set: { a: "100%%" } } }, ${TO}`);
    expect(plain(only.requestHeaders)).toEqual({ remove: [], set: { a: '100%' }, add: {} });
    const mixed = await rule(`headers: { request: { set: { a: "100%%", b: "%REQ(x-id)%" } } }, ${TO}`);
    expect(plain(mixed.requestHeaders)).toEqual({ remove: [], set: { a: '100%%', b: '%REQ(x-id)%' }, add: {}, formatted: true });
  });
});

describe('rewrites', () => {
  const match = (uri: string): string => `match: [ { uri: ${uri} } ],`;
  it.each([
    ['of a prefix', match('{ prefix: /a }'), { kind: 'prefix', prefix: '/a', value: '/b', by: 'text' }],
    ['of an exact path', match('{ exact: /a }'), { kind: 'full', value: '/b' }],
    ['of a pattern', match('{ regex: "/a.*" }'), { kind: 'full', value: '/b' }],
    ['of a rule without match', '', { kind: 'prefix', prefix: '/', value: '/b', by: 'text' }],
    ['of a match without uri', 'match: [ { method: { exact: GET } } ],', { kind: 'prefix', prefix: '/', value: '/b', by: 'text' }],
  ])('%s', async (_name, before, path) => {
    expect((await rule(`${before} rewrite: { uri: /b }, ${TO}`)).rewrite).toEqual({ path });
  });

  it('by pattern', async () => {
    const { rewrite } = await rule(`rewrite: { uriRegexRewrite: { match: "^/(.*)$", rewrite: '/x/\\1' }, authority: a.example }, ${TO}`);
    expect(rewrite).toEqual({ path: { kind: 'regex', pattern: '^/(.*)$', substitution: '/x/\\1' }, authority: 'a.example' });
  });

  it('make a rule for each prefix that they replace', async () => {
    const fields = `match: [ { uri: { prefix: /a } }, { uri: { prefix: /a }, method: { exact: GET } }, { uri: { prefix: /c } } ], rewrite: { uri: /b }, ${TO}`;
    const config = await goodText(documents(SERVICES, virtualService(`[ { ${fields} } ]`)));
    const routes = (config.services.reviews?.routes ?? []).slice(0, -1);
    expect(routes.map(({ name, matches, rewrite }) => [name, matches.length, rewrite?.path])).toEqual([
      ['reviews-1', 2, { kind: 'prefix', prefix: '/a', value: '/b', by: 'text' }],
      ['reviews-1-2', 1, { kind: 'prefix', prefix: '/c', value: '/b', by: 'text' }],
    ]);
  });
});

describe('answers without a destination', () => {
  it.each([
    ['path', '{ uri: /b }', { port: 'keep', path: { kind: 'full', value: '/b' }, status: 301 }],
    ['prefix', '{ prefixRewrite: /b }', { port: 'keep', path: { kind: 'prefix', prefix: '/a', value: '/b', by: 'text' }, status: 301 }],
    ['host', '{ authority: b.example }', { host: 'b.example', port: 'scheme', status: 301 }],
    ['host with port', '{ authority: "b.example:8080" }', { host: 'b.example', port: 8080, status: 301 }],
    ['scheme', '{ scheme: https }', { scheme: 'https', port: 'keep', status: 301 }],
    ['port', '{ port: 8443, redirectCode: 308 }', { port: 8443, status: 308 }],
    ['the port of the scheme', '{ derivePort: FROM_PROTOCOL_DEFAULT, redirectCode: 302 }', { port: 'scheme', status: 302 }],
    ['the port of the call', '{ authority: b.example, derivePort: FROM_REQUEST_PORT }', { host: 'b.example', port: 'keep', status: 301 }],
  ])('redirect: %s', async (_name, redirect, policy) => {
    const route = await rule(`match: [ { uri: { prefix: /a } } ], redirect: ${redirect}, headers: { response: { set: { x: y } } }`);
    expect([route.redirect, plain(route.responseHeaders)?.set, route.targets]).toEqual([
      policy,
      { x: 'y' },
      [{ service: 'reviews', weight: 1 }],
    ]);
  });

  it.each([
    ['a text', '{ status: 503, body: { string: no } }', { status: 503, headers: { 'content-type': 'text/plain' }, body: 'no' }],
    ['bytes', '{ status: 200, body: { bytes: w7w= } }', { status: 200, headers: { 'content-type': 'text/plain' }, body: 'ü' }],
    ['nothing', '{ status: 404 }', { status: 404, headers: {}, body: '' }],
  ])('directResponse: %s', async (_name, directResponse, policy) => {
    expect((await rule(`directResponse: ${directResponse}`)).directResponse).toEqual(policy);
  });
});

describe('timeout and retries', () => {
  it.each([
    ['none', TO, 0],
    ['some', `timeout: 1m30s, ${TO}`, 90_000],
  ])('timeout: %s', async (_name, fields, timeoutMs) => {
    expect((await rule(fields)).timeoutMs).toBe(timeoutMs);
  });

  const ENVOY = { kind: 'envoy', avoidTried: true, leavePriority: false, rateLimited: false };
  const DEFAULT = {
    attempts: 2,
    perTryTimeoutMs: 0,
    retryOn: ['connect-failure', 'refused-stream'],
    grpcStatuses: [14, 1],
    backoff: { baseMs: 25, maxMs: 250 },
    semantics: ENVOY,
  };
  it.each([
    ['nothing said', '', DEFAULT],
    ['switched off', 'retries: { attempts: 0 },', { ...DEFAULT, attempts: 0 }],
    ['an empty mapping switches off, too', 'retries: {},', { ...DEFAULT, attempts: 0 }],
    ['only a number', 'retries: { attempts: 5 },', { ...DEFAULT, attempts: 5 }],
    [
      'all of it',
      'retries: { attempts: 3, perTryTimeout: 2s, retryOn: "5xx,gateway-error,503,reset,unavailable,internal,envoy-ratelimited,retriable-status-codes", retryRemoteLocalities: true, retryIgnorePreviousHosts: false, backoff: 100ms },',
      {
        attempts: 3,
        perTryTimeoutMs: 2_000,
        retryOn: ['5xx', 'gateway-error', 503, 'reset'],
        grpcStatuses: [14, 13],
        backoff: { baseMs: 100, maxMs: 1_000 },
        semantics: { kind: 'envoy', avoidTried: false, leavePriority: true, rateLimited: true },
      },
    ],
  ])('retries: %s', async (_name, fields, policy) => {
    const { retries } = await rule(`${fields} ${TO}`);
    expect(retries).toMatchObject({ ...policy, methods: ['*'], acrossSubsets: false, bodyBytesMax: 1_048_576 });
  });

  it('leave the endpoints that were tried alone, unless a hash keeps the calls there', async () => {
    const hash = SUBSETS.replace(
      'host: reviews',
      'host: reviews\n  trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: x } } }',
    );
    const avoid = async (route: string): Promise<boolean | undefined> => {
      const config = await goodText(documents(SERVICES, hash, virtualService(`[ { route: ${route} } ]`)));
      const semantics = config.services.reviews?.routes[0]?.retries?.semantics;
      return semantics?.kind === 'envoy' ? semantics.avoidTried : undefined;
    };
    expect(await avoid('[ { destination: { host: reviews, subset: v1 } } ]')).toBe(false);
    expect(await avoid('[ { destination: { host: ratings } } ]')).toBe(true);
    expect(
      await avoid(
        '[ { destination: { host: reviews, subset: v1 }, weight: 1 }, { destination: { host: reviews, subset: v2 }, weight: 1 } ]',
      ),
    ).toBe(true);
  });
});

describe('faults and copies', () => {
  const COMMON = { position: 'call', by: 'random', headers: {}, activeMax: 0, blastPercent: 100 };
  it.each([
    ['delay', '{ delay: { fixedDelay: 5s, percentage: { value: 0.1 } } }', { delay: { fixedMs: 5_000, percent: 0.1 } }],
    ['delay in the old way', '{ delay: { fixedDelay: 5s, percent: 10 } }', { delay: { fixedMs: 5_000, percent: 10 } }],
    ['delay without share', '{ delay: { fixedDelay: 5s } }', { delay: { fixedMs: 5_000, percent: 0 } }],
    ['abort', '{ abort: { httpStatus: 400, percentage: { value: 100 } } }', { abort: { status: 400, percent: 100 } }],
    ['abort without share', '{ abort: { httpStatus: 400 } }', { abort: { status: 400, percent: 0 } }],
    [
      'gRPC abort',
      '{ abort: { grpcStatus: UNAVAILABLE, percentage: { value: 1 } } }',
      { abort: { status: 200, grpcStatus: 14, percent: 1 } },
    ],
  ])('%s', async (_name, fault, policy) => {
    const { fault: own } = await rule(`fault: ${fault}, ${TO}`);
    expect(own).toMatchObject({ ...COMMON, ...policy });
    expect(Object.keys(own ?? {}).includes('delay')).toBe('delay' in policy);
  });

  it.each([
    ['all', 'mirror: { host: ratings }', [['ratings', 100]]],
    ['a share', 'mirror: { host: ratings }, mirrorPercentage: { value: 12.5 }', [['ratings', 12.5]]],
    ['a share in the old way', 'mirror: { host: ratings }, mirrorPercent: 10', [['ratings', 10]]],
    ['none', 'mirror: { host: ratings }, mirrorPercentage: { value: 0 }', []],
    [
      'several',
      'mirrors: [ { destination: { host: ratings } }, { destination: { host: reviews, subset: v2 }, percentage: { value: 1 } } ]',
      [
        ['ratings', 100],
        ['reviews', 1],
      ],
    ],
    ['nobody', 'mirror: { host: nobody }', []],
  ])('copies: %s', async (_name, fields, expected) => {
    const { mirrors } = await rule(`${fields}, ${TO}`);
    expect(mirrors.map(({ target, percent }) => [target.service, percent])).toEqual(expected);
    expect(mirrors.every(({ hostSuffix, stripHeaders }) => hostSuffix === '-shadow' && stripHeaders.length === 0)).toBe(true);
  });
});

describe('places', () => {
  it('of a rule and its fields are kept', async () => {
    const { source, sources } = await rule(`timeout: 1s, retries: { attempts: 1 }, ${TO}`);
    const at = (column: number): object => ({ file: 'mesh.yaml', line: 22, column });
    expect(source).toEqual(at(11));
    expect(sources).toEqual({ timeoutMs: at(13), retries: at(26), targets: at(52) });
  });
});
