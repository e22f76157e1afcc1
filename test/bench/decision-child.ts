// Prints, as JSON, what a routing decision among 1,000 rules of all kinds costs when none of them matches, in ns: with all
// that the router is told, and when it can only ask one rule after the other.
import type { CallMatch } from '../../src/route/match.ts';
import type { RouterEntry } from '../../src/route/router.ts';
import type { RouteMatch, StringMatch } from '../../src/model/route.ts';
import { loadLibraryModule } from './library-module.ts';

const { compileMatches } = await loadLibraryModule<typeof import('../../src/route/match.ts')>('route/match.js');
const { router } = await loadLibraryModule<typeof import('../../src/route/router.ts')>('route/router.js');
const { loadRegex } = await loadLibraryModule<typeof import('../../src/route/regex.ts')>('route/regex.js');
const { Call } = await loadLibraryModule<typeof import('../../src/core/call.ts')>('core/call.js');

const RULES = 1_000;
const BATCHES = 60;
const DECISIONS = 500;

const { compile } = await loadRegex();
const exact = (value: string): StringMatch => ({ kind: 'exact', value, invert: false });
const regex = (value: string): StringMatch => ({ kind: 'regex', value, invert: false });
const KINDS: readonly ((i: number) => Partial<RouteMatch>)[] = [
  (i) => ({ path: { kind: 'exact', value: `/api/v1/exact-${i}`, invert: false } }),
  (i) => ({ path: { kind: 'prefix', value: `/api/v1/prefix-${i}/`, invert: false } }),
  (i) => ({ path: { kind: 'pathPrefix', value: `/api/v1/segment-${i}`, invert: false, ignoreCase: true } }),
  (i) => ({ path: { kind: 'regex', value: `/api/v1/items-${i}/[0-9]+`, invert: false } }),
  (i) => ({ method: exact('GET'), path: { kind: 'regex', value: `.*/[a-z]+-${i}`, invert: false } }),
  (i) => ({ headers: { 'x-tenant': exact(`tenant-${i}`) } }),
  (i) => ({ headers: { 'user-agent': regex(`.*device-${i}.*`) } }),
  (i) => ({ headers: { cookie: regex(`^(.*?;)?(user=u${i})(;.*)?$`) } }),
  (i) => ({ queryParams: { tenant: exact(`t${i}`) } }),
  (i) => ({ authority: exact(`host-${i}.example.com`), headers: { [`x-flag-${i}`]: { kind: 'present', invert: false } } }),
];

const answer = Promise.resolve(null as never);
const entry = (name: string, matches: CallMatch | null): RouterEntry => ({
  ref: { name, service: 'reviews', timeoutMs: 0 },
  matches,
  service: () => answer,
});
const rules = Array.from({ length: RULES }, (_, i): RouteMatch[] => [
  { headers: {}, queryParams: {}, ...(KINDS[i % KINDS.length] as (i: number) => Partial<RouteMatch>)(i) },
]);
const asked = rules.map((matches, i) => entry(`r${i}`, compileMatches(matches, compile)));
const told = asked.map((one, i) => ({ ...one, rules: rules[i] as RouteMatch[] }));

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
const headers = ['accept', '*/*', 'user-agent', AGENT, 'cookie', 'user=nobody;theme=dark', 'x-tenant', 'none', 'X-Request-Id', 'abc'];
const call = new Call(
  { scheme: 'http', authority: 'reviews', method: 'GET', path: '/api/v1/none?tenant=none&page=1', headers, body: null },
  0,
);

/** The best of many batches: what a quiet machine would show. */
function nsOf(entries: readonly RouterEntry[], batches: number): number {
  const route = router([...entries, entry('none', null)]);
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < batches; batch++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < DECISIONS; i++) void route(call);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / DECISIONS);
  }
  if (call.route?.name !== 'none') throw new Error(`${call.route?.name} matches; nothing should`);
  return best;
}

console.log(JSON.stringify({ told: nsOf(told, BATCHES), asked: nsOf(asked, 3) }));
