import { describe, expect, it } from 'vitest';
import type { RouteConfig, ServiceConfig } from '../../../src/model/config.ts';
import type { RouteMatch } from '../../../src/model/route.ts';
import type { LoadResult } from '../../../src/yaml/load.ts';
import { ownTexts } from './corpus.ts';
import { faultsOf } from './fuzz-run.ts';
import { type Load, loadText, tryText } from './trial.ts';

/** More of them in fuzz.long.test.ts, and as many as one has time for with `npm run fuzz:yaml`. */
const RUNS = 20;

describe('the readers', () => {
  it.each(ownTexts())('take $name as they should', async ({ text }) => {
    expect((await tryText(text, { runs: true })).fault).toBeNull();
  });

  it(`take ${RUNS} texts that were drawn`, { timeout: 60_000 }, async () => {
    expect(await faultsOf(RUNS)).toEqual([]);
  });
});

/** The readers, and what they say turned into something else. */
const twisted =
  (twist: (result: LoadResult) => LoadResult | Promise<LoadResult>): Load =>
  async (text, lenient) =>
    twist(await loadText(text, lenient));
const issue = { severity: 'error', path: [], message: 'no', position: { file: 'mesh.yaml', line: 1, column: 1 }, frame: '1 | a' } as const;
const withRoute = (target: object, matches: readonly object[] = []): Load =>
  twisted((result) => {
    if ('issues' in result) return result;
    const { reviews } = result.config.services;
    const targets = [{ service: 'reviews', weight: 1, ...target }];
    const [last] = (reviews as ServiceConfig).routes as [RouteConfig];
    const routes = [
      { ...last, matches: matches as RouteMatch[], targets },
      { ...last, targets },
    ];
    return { ...result, config: { ...result.config, services: { reviews: { ...(reviews as ServiceConfig), routes } } } };
  });

describe('what finds are made with', () => {
  it.each<[what: string, fault: RegExp, load: Load]>([
    ['a crash', /^throws TypeError: gone/, twisted(() => Promise.reject(new TypeError('gone')))],
    [
      'a hang',
      /^takes more than 100 ms/,
      twisted((result) => {
        const start = process.cpuUsage();
        while (process.cpuUsage(start).user < 150_000);
        return result;
      }),
    ],
    ['an error without a place', /^has no position/, twisted(() => ({ issues: [{ severity: 'error', path: [], message: 'no' }] }))],
    ['an error beyond the text', /^stands nowhere/, twisted(() => ({ issues: [{ ...issue, position: { ...issue.position, line: 99 } }] }))],
    ['an error without a frame', /^has no frame/, twisted(() => ({ issues: [{ ...issue, frame: undefined as never }] }))],
    ['a message without words', /^has no message/, twisted(() => ({ issues: [{ ...issue, message: '' }] }))],
    ['nonsense', /^talks nonsense/, twisted(() => ({ issues: [{ ...issue, message: 'undefined is not read' }] }))],
    ['a refusal without an error', /^refuses without an error/, twisted(() => ({ issues: [{ ...issue, severity: 'warning' }] }))],
    ['a target that is not there', /has the target ratings, which/, withRoute({ service: 'ratings' })],
    ['a subset that is not there', /has the target reviews\/v9, which/, withRoute({ subset: 'v9' })],
    [
      'what does not run',
      /^is accepted, but does not run/,
      withRoute({}, [{ path: { kind: 'regex', value: '(', invert: false }, headers: {}, queryParams: {} }]),
    ],
    ['what is lenient alone', /^lenient: throws/, (text, lenient) => (lenient ? Promise.reject(new Error('gone')) : loadText(text, false))],
  ])('sees %s', async (_what, fault, load) => {
    const text = "services: { reviews: { endpoints: ['10.0.0.1:80'] } }\n";
    expect((await tryText(text, { runs: true })).fault).toBeNull();
    expect((await tryText(text, { runs: true, load })).fault).toMatch(fault);
  });
});
