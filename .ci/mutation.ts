// `npm run mutation [-- mechanisms | retry | routing | identity | authorization | short]`: StrykerJS changes the code of a group,
// one place at a time, and runs the group's own tests against each change; what no test notices is printed. A table by module
// ends it. `--module src/route/match.ts` tries one file, `--again` forgets what earlier runs found.
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { matchesGlob, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

type Results = Awaited<ReturnType<Stryker['runMutationTest']>>;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = '.cache/mutation';

interface Group {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** Least share of changes that a test must notice, percent. */
  readonly least: number;
}

const RETRY = 'src/resilience/{backoff,*budget,hedge-delay,hedge-race,hedging,repetition*,retry-*}.ts';

const GROUPS: Readonly<Record<string, Group>> = {
  mechanisms: {
    mutate: ['src/resilience/*.ts', 'src/balance/*.ts', 'src/core/{classify,window,refuse,made-reply}.ts', `!${RETRY}`],
    tests: ['test/resilience/**/*.test.ts', 'test/balance/**/*.test.ts', 'test/core/**/*.test.ts'],
    least: 90,
  },
  retry: { mutate: [RETRY], tests: ['test/resilience/**/*.test.ts'], least: 90 },
  routing: { mutate: ['src/route/*.ts'], tests: ['test/route/**/*.test.ts', 'test/fuzz/replay.test.ts'], least: 90 },
  identity: { mutate: ['src/identity/*.ts'], tests: ['test/identity/**/*.test.ts'], least: 95 },
  authorization: {
    mutate: [
      'src/access/!({explain-policies,policy-text,match-text,remembered,ext-authz*,grpc-ext-authz,head-edit}).ts',
      'src/inbound/authorize-layer.ts',
    ],
    tests: ['test/access/*.test.ts', 'test/inbound/authorize*.test.ts'],
    least: 95,
  },
  short: { mutate: ['src/resilience/budget.ts'], tests: ['test/resilience/budget*.test.ts'], least: 90 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { module: { type: 'string', multiple: true, default: [] }, again: { type: 'boolean', default: false } },
});

function run(name: string, { mutate, tests }: Group): Promise<Results> {
  process.env['MUTATION_TESTS'] = JSON.stringify(tests);
  const modules = values.module.map((path) => relative(ROOT, resolve(path)));
  return new Stryker({
    mutate: [...(modules.length === 0 ? mutate : modules)],
    testRunner: 'vitest',
    vitest: { configFile: '.ci/mutation-tests.ts' },
    plugins: ['@stryker-mutator/vitest-runner', './.ci/mutation-texts.ts'],
    ignorers: ['texts'],
    // Values that a module makes once would need every test for each change.
    ignoreStatic: true,
    // It reads a tsconfig through an interface that TypeScript no longer has.
    tsconfigFile: 'none.json',
    disableTypeChecks: false,
    ignorePatterns: ['/*', '!/src', '!/test', '!/.ci', '!/schema', '!/package.json', '!/tsconfig.json'],
    tempDirName: `${CACHE}/${name}`,
    incremental: modules.length === 0,
    force: values.again,
    incrementalFile: `${CACHE}/${name}.json`,
    concurrency: Math.min(2, availableParallelism()),
    timeoutMS: 4_000,
    reporters: ['clear-text'],
    clearTextReporter: { reportTests: false, reportScoreTable: false, logTests: false, allowColor: false, allowEmojis: false },
    logLevel: 'warn' as never,
  }).runMutationTest();
}

interface Score {
  noticed: number;
  missed: number;
  left: number;
}

/** A change that never ends is noticed. One that no test comes by is missed. */
function scores(results: Results): Map<string, Score> {
  const found = new Map<string, Score>();
  for (const { fileName, status } of results) {
    const path = relative(ROOT, fileName);
    const score = found.get(path) ?? { noticed: 0, missed: 0, left: 0 };
    found.set(path, score);
    if (status === 'Killed' || status === 'Timeout') score.noticed++;
    else if (status === 'Survived' || status === 'NoCoverage') score.missed++;
    else score.left++;
  }
  return found;
}

function percent({ noticed, missed }: Score): number {
  return noticed + missed === 0 ? 100 : (100 * noticed) / (noticed + missed);
}

function row(name: string, score: Score): string {
  const cells = [percent(score).toFixed(1), score.noticed, score.missed, score.left].map((cell) => String(cell).padStart(9));
  return `${name.padEnd(44)}${cells.join('')}`;
}

function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(GROUPS, name));
  if (unknown.length > 0) throw new Error(`There is no group ${unknown.join(', ')}. Groups: ${Object.keys(GROUPS).join(', ')}.`);
  mkdirSync(CACHE, { recursive: true });
  return names.reduce(async (before, name) => {
    await before;
    await report(name, GROUPS[name] as Group);
  }, Promise.resolve());
}

async function report(name: string, group: Group): Promise<void> {
  const results = await run(name, group);
  const byModule = scores(results.filter(({ fileName }) => group.mutate.length === 0 || isOf(group, relative(ROOT, fileName))));
  const all = { noticed: 0, missed: 0, left: 0 };
  console.log(`\n${name.padEnd(44)}  percent  noticed   missed     left`);
  for (const [path, score] of [...byModule].sort(([one], [other]) => (one < other ? -1 : 1))) {
    console.log(row(path, score));
    all.noticed += score.noticed;
    all.missed += score.missed;
    all.left += score.left;
  }
  console.log(row('all', all));
  if (percent(all) >= group.least) return;
  console.error(`${name}: ${percent(all).toFixed(1)} percent, at least ${group.least} wanted`);
  process.exitCode = 1;
}

function isOf({ mutate }: Group, path: string): boolean {
  return values.module.length > 0 || mutate.some((pattern) => !pattern.startsWith('!') && matchesGlob(path, pattern));
}

process.chdir(ROOT);
try {
  await main(positionals.length === 0 ? Object.keys(GROUPS).filter((name) => name !== 'short') : positionals);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
