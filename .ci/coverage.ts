// `npm run coverage`: the unit tests with V8's coverage of src, a line for each folder, and the gates. `-- --files` also lists
// the files that are below them, with the lines that no test ran. `-- --read` shows the last run again.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
/** Percent. */
const GATES = { lines: 97, branches: 95 } as const;

/** They run other processes, or measure this one: they add nothing but time. */
const OTHER_PROCESSES = ['--exclude', 'test/bench/**', '--exclude', 'test/examples/**', '--exclude', 'test/fuzz/**'];

interface Count {
  readonly total: number;
  readonly covered: number;
}

type Counts = Readonly<Record<'lines' | 'branches' | 'functions', Count>>;

interface Executed {
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>;
  readonly s: Readonly<Record<string, number>>;
  readonly branchMap: Readonly<Record<string, { readonly locations: readonly { readonly start: { readonly line: number } }[] }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

function measure(): void {
  const options = [
    '--coverage.enabled',
    '--coverage.provider=v8',
    '--coverage.include=src/**',
    `--coverage.reportsDirectory=${FOLDER}`,
    '--coverage.reporter=json-summary',
    '--coverage.reporter=json',
    '--coverage.reportOnFailure',
  ];
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const args = [
    vitest,
    'run',
    '--config',
    'test/vitest.config.ts',
    '--project',
    'pure',
    '--project',
    'unit',
    ...OTHER_PROCESSES,
    ...options,
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

function percent({ total, covered }: Count): number {
  return total === 0 ? 100 : (100 * covered) / total;
}

function sum(all: readonly Counts[]): Counts {
  const of = (name: keyof Counts): Count => ({
    total: all.reduce((total, counts) => total + counts[name].total, 0),
    covered: all.reduce((covered, counts) => covered + counts[name].covered, 0),
  });
  return { lines: of('lines'), branches: of('branches'), functions: of('functions') };
}

function row(name: string, counts: Counts): string {
  const cell = (count: Count): string => percent(count).toFixed(1).padStart(9);
  const isLow = percent(counts.lines) < GATES.lines || percent(counts.branches) < GATES.branches;
  return `${name.padEnd(40)}${cell(counts.lines)}${cell(counts.branches)}${cell(counts.functions)}${isLow ? '  below' : ''}`;
}

/** Lines that hold something that never ran. */
function missed({ statementMap, s, branchMap, b }: Executed): number[] {
  const statements = Object.entries(s).flatMap(([id, count]) => (count === 0 ? [statementMap[id]?.start.line ?? 0] : []));
  const branches = Object.entries(b).flatMap(([id, counts]) =>
    counts.flatMap((count, i) => (count === 0 ? [branchMap[id]?.locations[i]?.start.line ?? 0] : [])),
  );
  return [...new Set([...statements, ...branches])].sort((one, other) => one - other);
}

const read = (name: string): unknown => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));

if (!process.argv.includes('--read')) measure();
if (!existsSync(join(FOLDER, 'coverage-summary.json'))) {
  console.error('There is no coverage to read. Run `npm run coverage` first.');
  process.exit(2);
}
const { total: _total, ...files } = read('coverage-summary.json') as Record<string, Counts>;
const byFolder = Map.groupBy(Object.entries(files), ([path]) => path.slice(ROOT.length).split('/').slice(0, -1).join('/'));
console.log(`${'folder'.padEnd(40)}    lines branches functions`);
for (const [folder, entries] of [...byFolder].sort(([one], [other]) => (one < other ? -1 : 1))) {
  console.log(row(folder, sum(entries.map(([, counts]) => counts))));
}
const all = sum(Object.values(files));
console.log(row('all', all));
if (process.argv.includes('--files')) {
  const executed = read('coverage-final.json') as Record<string, Executed>;
  console.log('');
  for (const [path, counts] of Object.entries(files)) {
    const line = row(path.slice(ROOT.length), counts);
    const one = executed[path];
    if (line.endsWith('below') && one !== undefined) console.log(`${line}: ${missed(one).join(' ')}`);
  }
}
for (const [name, gate] of Object.entries(GATES) as [keyof typeof GATES, number][]) {
  if (percent(all[name]) >= gate) continue;
  console.error(`${name}: ${percent(all[name]).toFixed(2)} percent, at least ${gate} wanted`);
  process.exitCode = 1;
}
