// `npm run check`: everything that must hold besides the tests: types, lint, format, the house, the schema, the docs and the
// package. Two steps at a time; prints one line for each, then the output of those that failed. Names of steps as arguments run
// only those; --json prints the result for programs.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const AT_ONCE = 2;
const STEP_MS_MAX = 300_000;
const isJson = process.argv.includes('--json');
const isColored = process.stdout.isTTY === true && !process.env.NO_COLOR && !isJson;
const scratch = mkdtempSync(join(tmpdir(), 'inmesh-check-'));

/**
 * In the order in which they are begun and listed. `run` gives what it printed, and throws what it printed when it fails;
 * `unless` says why a step cannot be run.
 */
const STEPS = [
  { name: 'build', what: 'src compiles', run: () => (pruneDist(), node(bin('typescript', 'tsc'), '-p', 'tsconfig.json')) },
  {
    name: 'types',
    what: 'tests, examples, benches and tools compile',
    needs: ['build'],
    run: () => node(bin('typescript', 'tsc'), '-p', 'test/tsconfig.json'),
  },
  { name: 'lint', what: 'oxlint, with types', needs: ['build'], run: () => node(bin('oxlint'), '--type-aware', '--deny-warnings') },
  { name: 'format', what: 'biome format', run: () => node(bin('@biomejs/biome', 'biome'), 'format', '--error-on-warnings') },
  {
    name: 'house',
    what: 'floors, homes, names, docs',
    run: () => node(bin('vitest'), 'run', '--config', 'test/vitest.config.ts', 'test/house'),
  },
  {
    name: 'schema',
    what: 'schema/ is what the types say',
    unless: () => missing('.ci/schema.ts'),
    run: () => node('.ci/schema.ts', '--check'),
  },
  { name: 'docs', what: 'generated pages and snippets are up to date', run: () => node('.ci/docs.ts', '--check') },
  { name: 'unused', what: 'knip: files, exports, dependencies', run: () => node(bin('knip'), '--no-progress') },
  { name: 'pack', what: 'npm pack', needs: ['build'], run: pack },
  { name: 'content', what: 'the package holds what it should, and no more', needs: ['pack'], run: checkContent },
  {
    name: 'publint',
    what: 'package.json fits the package',
    needs: ['pack'],
    run: () => node(bin('publint'), 'run', tarball(), '--strict'),
  },
  {
    name: 'attw',
    what: 'types resolve for ESM users',
    needs: ['pack'],
    run: () => node(bin('@arethetypeswrong/cli', 'attw'), tarball(), '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'),
  },
];

/** Files of dist/ whose source is gone would be published. */
function pruneDist() {
  const dist = join(ROOT, 'dist');
  if (!existsSync(dist)) return;
  for (const path of readdirSync(dist, { recursive: true })) {
    const stem = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(path)?.[1];
    if (stem !== undefined && !existsSync(join(ROOT, 'src', `${stem}.ts`))) rmSync(join(dist, path));
  }
}

const PACKED = /^(dist|src|schema)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const PACKED_ALWAYS = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'dist/index.js',
  'dist/index.d.ts',
  'src/index.ts',
  'schema/mesh.schema.json',
];

let packedPaths = [];

async function pack() {
  const npm = npmCommand();
  const args = [...npm.args, 'pack', '--json', '--pack-destination', scratch, '--ignore-scripts', '--loglevel=error'];
  const output = await execute(npm.command, args, npm.shell);
  const listed = JSON.parse(output.slice(output.search(/[[{]/)));
  const [packed] = Array.isArray(listed) ? listed : Object.values(listed);
  packedPaths = packed.files.map(({ path }) => path);
}

function checkContent() {
  const problems = [
    ...packedPaths.filter((path) => !PACKED.test(path)).map((path) => `${path} does not belong in the package`),
    ...PACKED_ALWAYS.filter((path) => !packedPaths.includes(path)).map((path) => `${path} is missing in the package`),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

function tarball() {
  const [name] = readdirSync(scratch).filter((file) => file.endsWith('.tgz'));
  return join(scratch, name);
}

/** The script of a package's command, so that no shell is needed. */
function bin(name, command = name) {
  const folder = join(ROOT, 'node_modules', name);
  const { bin: commands } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof commands === 'string' ? commands : commands[command]);
}

function npmCommand() {
  const cli = process.env.npm_execpath ?? '';
  if (basename(cli) === 'npm-cli.js' && existsSync(cli))
    return { command: process.env.npm_node_execpath || process.execPath, args: [cli], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

function missing(path) {
  return existsSync(join(ROOT, path)) ? null : `${path} is not there`;
}

function node(...args) {
  return execute(process.execPath, args, false);
}

function execute(command, args, shell) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      shell,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: STEP_MS_MAX,
      env: { ...process.env, ...(isColored ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: undefined }) },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${output.trim()}\n${signal === null ? '' : `ended by ${signal} after ${STEP_MS_MAX / 1_000} s`}`.trim()));
    });
  });
}

/** Begins a step when those it needs have passed; one that needs a failed step is not run. */
async function runAll(steps) {
  const results = new Map();
  const waiting = [...steps];
  const running = new Set();
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < AT_ONCE ? waiting.findIndex(({ needs = [] }) => needs.every((need) => results.has(need))) : -1;
    if (next === -1) {
      await Promise.race(running);
      continue;
    }
    const [step] = waiting.splice(next, 1);
    const task = runOne(step, results).then((result) => {
      results.set(step.name, result);
      running.delete(task);
      if (!isJson) console.log(lineOf(result));
    });
    running.add(task);
  }
  return steps.map(({ name }) => results.get(name));
}

async function runOne({ name, what, needs = [], unless, run }, results) {
  const started = performance.now();
  const result = (state, output) => ({ name, what, state, ms: Math.round(performance.now() - started), output });
  const broken = needs.find((need) => results.get(need).state !== 'passed');
  if (broken !== undefined) return result('skipped', `needs ${broken}`);
  const reason = unless?.() ?? null;
  if (reason !== null) return result('skipped', reason);
  try {
    return result('passed', await run());
  } catch (error) {
    return result('failed', error.message);
  }
}

const MARKS = { passed: ['√', 32], failed: ['×', 31], skipped: ['-', 33] };

function lineOf({ name, what, state, ms, output }) {
  const [mark, color] = MARKS[state];
  const text = `${mark} ${name.padEnd(8)} ${what}${state === 'skipped' ? ` (not run: ${output})` : ` (${(ms / 1_000).toFixed(1)} s)`}`;
  return isColored ? `\u001b[${color}m${text}\u001b[39m` : text;
}

/** The steps that were asked for, with those they need. */
function chosen(names) {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(', ')}. Steps: ${STEPS.map(({ name }) => name).join(', ')}.`);
  if (names.length === 0) return STEPS;
  const wanted = new Set(names);
  for (const { name, needs = [] } of [...STEPS].reverse()) if (wanted.has(name)) for (const need of needs) wanted.add(need);
  return STEPS.filter(({ name }) => wanted.has(name));
}

async function main() {
  const results = await runAll(chosen(process.argv.slice(2).filter((word) => !word.startsWith('--'))));
  const failed = results.filter(({ state }) => state === 'failed');
  const count = { passed: results.filter(({ state }) => state === 'passed').length, failed: failed.length };
  if (isJson) console.log(JSON.stringify({ ...count, steps: results }, null, 2));
  else {
    for (const { name, output } of failed) console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 76 - name.length))}\n${output.trim()}`);
    if (failed.length > 0) console.log(`\n${results.map(lineOf).join('\n')}`);
    console.log(`\nchecks: ${count.passed} passed, ${count.failed} failed`);
  }
  return failed.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
