// `npm run bench`: every section, a line of progress, the tables. Bounded in time; ends by itself and takes its processes along.
import { Child } from './child.ts';
import { IMPORT_AND_CREATE, IMPORT_ONLY, loadedModules, measureImport, unwantedOf } from './import-cost.ts';
import { type IsolatedResult, measureIsolated } from './isolated.ts';
import { buildIfStale } from './library.ts';
import { FULL_MEASURE, SHORT_MEASURE } from './measure.ts';
import { type Options, readOptions, SECTIONS, USAGE, wantsSection } from './options.ts';
import { describeMachine, type ImportResult, type Report } from './report.ts';
import { GRPC_CASES } from './cases.ts';
import { chooseCases, FULL_PLAN, GRPC_PLAN, QUICK_PLAN, runSockets } from './sockets.ts';
import { writePage } from './docs-page.ts';
import { asText, headline, tablesOf } from './tables.ts';

const startMs = performance.now();
let lastPercent = -1;

/** One line that moves on a terminal; one line for every tenth elsewhere. */
function progress(section: string, text: string, done: number): void {
  const percent = Math.round(done * 100);
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  const line = `${section}: ${text} (${percent} %, ${seconds} s)`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`);
  else if (Math.floor(percent / 10) !== Math.floor(lastPercent / 10)) process.stderr.write(`${line}\n`);
  lastPercent = percent;
}

async function runImport(options: Options): Promise<ImportResult> {
  const cost = await measureImport(options.quick ? 5 : 15, {
    alsoCreate: true,
    progress: (done) => progress('import', 'fresh processes', done),
  });
  const unwanted = [...unwantedOf(await loadedModules(IMPORT_ONLY)), ...unwantedOf(await loadedModules(IMPORT_AND_CREATE))];
  return { cost, unwanted };
}

async function runIsolated(options: Options): Promise<IsolatedResult> {
  return measureIsolated(options.quick ? SHORT_MEASURE : FULL_MEASURE, (text, done) => progress('isolated', text, done));
}

async function run(options: Options): Promise<Report> {
  buildIfStale();
  const isolated = wantsSection(options, 'isolated') ? await runIsolated(options) : null;
  const imported = wantsSection(options, 'import') ? await runImport(options) : null;
  const words = options.only.filter((word) => !(SECTIONS as readonly string[]).includes(word));
  const plan = options.quick ? QUICK_PLAN : FULL_PLAN;
  const sockets = wantsSection(options, 'sockets')
    ? await runSockets(chooseCases(words), plan, (text, done) => progress('sockets', text, done))
    : null;
  const grpc = wantsSection(options, 'grpc')
    ? await runSockets(GRPC_CASES, options.quick ? QUICK_PLAN : GRPC_PLAN, (text, done) => progress('grpc', text, done), 'grpc-upstream.ts')
    : null;
  const seconds = (performance.now() - startMs) / 1_000;
  return { ...describeMachine(), isQuick: options.quick, seconds, sockets, isolated, import: imported, grpc };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await run(options);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  if (options.writeDocs) writePage(report);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const parts = [headline(report), ...(report.sockets?.notes ?? []), ...tablesOf(report).map(asText)];
  process.stdout.write(`${parts.join('\n\n')}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  Child.stopAll();
}
