// `npm run coverage`: the unit tests with V8's coverage of src, a line for each folder, and the gates. `-- --files` also lists
// the files that are below them, with the lines that no test ran. `-- --read` shows the last run again.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
/** Percent. */
const GATES = { lines: 97, branches: 95 } as const;

/** They run the built package in other processes, or look at texts: they add nothing but time. */
const LEFT_OUT: ReadonlySet<string> = new Set(['bench', 'examples', 'house']);

interface Count {
  readonly total: number;
  readonly covered: number;
}

type Counts = Readonly<Record<'lines' | 'branches' | 'functions', Count>>;

interface Place {
  readonly start: { readonly line?: number; readonly column?: number };
}

/** Of one file, by ids of its pieces. */
interface Executed {
  readonly statementMap: Readonly<Record<string, Place>>;
  readonly s: Readonly<Record<string, number>>;
  readonly branchMap: Readonly<Record<string, { readonly type: string; readonly loc: Place; readonly locations: readonly Place[] }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
  readonly fnMap: Readonly<Record<string, { readonly decl: Place }>>;
  readonly f: Readonly<Record<string, number>>;
}

/** A way that a call of this line can go. */
interface Branch {
  readonly line: number;
  runs: number;
}

interface FileCoverage {
  readonly path: string;
  readonly lines: ReadonlyMap<number, number>;
  readonly branches: readonly Branch[];
  readonly functions: readonly number[];
}

function measure(): void {
  const options = [
    '--coverage.enabled',
    '--coverage.provider=v8',
    '--coverage.include=src/**',
    `--coverage.reportsDirectory=${FOLDER}`,
    '--coverage.reporter=json',
    '--coverage.reportOnFailure',
    // Processes and threads that tests start from src count too.
    '--coverage.autoAttachSubprocess',
  ];
  const rooms = readdirSync(join(ROOT, 'test'), { withFileTypes: true }).filter((one) => one.isDirectory() && !LEFT_OUT.has(one.name));
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
    ...rooms.map(({ name }) => `test/${name}/`),
    ...options,
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}

/** Whatever else is said of a line, it ran when one of its statements did. */
function linesOf({ statementMap, s }: Executed): Map<number, number> {
  const lines = new Map<number, number>();
  for (const [id, { start }] of Object.entries(statementMap)) {
    const { line = 0 } = start;
    lines.set(line, Math.max(lines.get(line) ?? 0, s[id] ?? 0));
  }
  return lines;
}

/**
 * A file that both a test and a process of its own have run is in the report twice, once as Vite has made it and once as Node has:
 * the same branches, whose places differ by a bracket. Each is counted once, with the runs of both.
 */
function branchesOf({ branchMap, b }: Executed): Branch[] {
  const known = new Map<string, Branch[]>();
  for (const [id, { type, loc, locations }] of Object.entries(branchMap)) {
    const runs = b[id] ?? [];
    const placeOf = ({ start }: Place): { line: number; column: number } => ({
      line: start.line ?? loc.start.line ?? 0,
      column: start.column ?? loc.start.column ?? 0,
    });
    const { line, column } = placeOf(locations[0] ?? loc);
    const key = (at: number): string => `${type} ${line}:${at} ${runs.length}`;
    const same = [column, column - 1, column + 1].map((at) => known.get(key(at))).find((one) => one !== undefined);
    if (same === undefined) {
      known.set(
        key(column),
        runs.map((count, i) => ({ line: placeOf(locations[i] ?? loc).line, runs: count })),
      );
    } else for (const [i, branch] of same.entries()) branch.runs += runs[i] ?? 0;
  }
  return [...known.values()].flat();
}

function functionsOf({ fnMap, f }: Executed): number[] {
  const runs = new Map<string, number>();
  for (const [id, { decl }] of Object.entries(fnMap)) {
    const key = `${decl.start.line}:${decl.start.column}`;
    runs.set(key, (runs.get(key) ?? 0) + (f[id] ?? 0));
  }
  return [...runs.values()];
}

function percent({ total, covered }: Count): number {
  return total === 0 ? 100 : (100 * covered) / total;
}

function count(runs: readonly number[]): Count {
  return { total: runs.length, covered: runs.filter((one) => one > 0).length };
}

function sum(files: readonly FileCoverage[]): Counts {
  return {
    lines: count(files.flatMap(({ lines }) => [...lines.values()])),
    branches: count(files.flatMap(({ branches }) => branches.map(({ runs }) => runs))),
    functions: count(files.flatMap(({ functions }) => functions)),
  };
}

function row(name: string, counts: Counts): string {
  const cell = (one: Count): string => percent(one).toFixed(1).padStart(9);
  const isLow = percent(counts.lines) < GATES.lines || percent(counts.branches) < GATES.branches;
  return `${name.padEnd(40)}${cell(counts.lines)}${cell(counts.branches)}${cell(counts.functions)}${isLow ? '  below' : ''}`;
}

/** Lines that hold something that never ran. */
function missed({ lines, branches }: FileCoverage): number[] {
  const silent = [...lines].flatMap(([line, runs]) => (runs === 0 ? [line] : []));
  return [...new Set([...silent, ...branches.flatMap(({ line, runs }) => (runs === 0 ? [line] : []))])].sort((one, other) => one - other);
}

if (!process.argv.includes('--read')) measure();
const report = join(FOLDER, 'coverage-final.json');
if (!existsSync(report)) {
  console.error('There is no coverage to read. Run `npm run coverage` first.');
  process.exit(2);
}
const executed = JSON.parse(readFileSync(report, 'utf8')) as Record<string, Executed>;
const files = Object.entries(executed).map(
  ([path, one]): FileCoverage => ({
    path: path.slice(ROOT.length),
    lines: linesOf(one),
    branches: branchesOf(one),
    functions: functionsOf(one),
  }),
);
const byFolder = Map.groupBy(files, ({ path }) => path.split('/').slice(0, -1).join('/'));
console.log(`${'folder'.padEnd(40)}    lines branches functions`);
for (const [folder, own] of [...byFolder].sort(([one], [other]) => (one < other ? -1 : 1))) console.log(row(folder, sum(own)));
const all = sum(files);
console.log(row('all', all));
if (process.argv.includes('--files')) {
  console.log('');
  for (const file of files) {
    const line = row(file.path, sum([file]));
    if (line.endsWith('below')) console.log(`${line}: ${missed(file).join(' ')}`);
  }
}
for (const [name, gate] of Object.entries(GATES) as [keyof typeof GATES, number][]) {
  if (percent(all[name]) >= gate) continue;
  console.error(`${name}: ${percent(all[name]).toFixed(2)} percent, at least ${gate} wanted`);
  process.exitCode = 1;
}
