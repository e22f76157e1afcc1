// Writes what the docs hold of the code: docs/defaults.md, docs/errors.md, docs/metrics.md, docs/codes, docs/support, and every snippet. With --check
// it writes nothing, names what is out of date, and fails. Run by `npm run docs` and by `npm run check`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type CodePageEntry, codesPages } from './lib/codes-pages.ts';
import { constantsIn } from './lib/declarations.ts';
import { defaultsPage } from './lib/defaults-page.ts';
import { type ErrorEntry, errorsPage } from './lib/errors-page.ts';
import { metricsPage } from './lib/metrics-page.ts';
import { updateSnippets } from './lib/snippets.ts';
import { supportPages } from './lib/support-pages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Model files that hold types with defaults. */
export const DEFAULTS_SOURCES: readonly string[] = ['destination', 'retry-budget', 'balancing', 'traffic', 'inbound', 'config'].map(
  (name) => `src/model/${name}.ts`,
);
/** Model files that hold what people write. */
export const INPUTS_SOURCES: readonly string[] = ['input-policy', 'input-balancing', 'input-traffic', 'input'].map(
  (name) => `src/model/${name}.ts`,
);

export interface DocsResult {
  /** Path → what the page must be. */
  readonly pages: ReadonlyMap<string, string>;
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

/** All that is generated, from the files of `root`. */
export async function generateDocs(root: string = ROOT): Promise<DocsResult> {
  const pages = new Map<string, string>();
  const faults: string[] = [];
  const notes: string[] = [];
  const read = (path: string): string | null => readOrNull(join(root, path));
  const load = (path: string): Promise<Record<string, unknown>> => import(pathToFileURL(join(root, path)).href);

  const values = Object.assign({}, ...(await Promise.all(DEFAULTS_SOURCES.map(load)))) as Record<string, unknown>;
  const models = DEFAULTS_SOURCES.map((path) => read(path) ?? '');
  pages.set('docs/defaults.md', defaultsPage({ inputs: INPUTS_SOURCES.map((path) => read(path) ?? ''), models, values }));

  const { ERROR_CODES } = (await load('src/core/errors.ts')) as { ERROR_CODES: Record<string, ErrorEntry> };
  pages.set('docs/errors.md', errorsPage(ERROR_CODES));

  const { CODES } = (await load('src/yaml/analyze/codes.ts')) as { CODES: Record<string, CodePageEntry> };
  for (const [path, page] of codesPages(CODES, read)) pages.set(path, page);

  for (const [path, page] of await supportPages(load)) pages.set(path, page);

  const metrics = await metricsOf(root, load);
  if (metrics === null) notes.push('No METRICS in src/telemetry: docs/metrics.md is not written.');
  else pages.set('docs/metrics.md', metrics);

  for (const path of new Set([...pages.keys(), ...markdownPages(root)])) {
    const page = pages.get(path) ?? read(path) ?? '';
    const result = updateSnippets(path, page, read);
    faults.push(...result.faults);
    pages.set(path, result.text);
  }
  return { pages, faults, notes };
}

async function metricsOf(root: string, load: (path: string) => Promise<Record<string, unknown>>): Promise<string | null> {
  for (const name of listOrNone(join(root, 'src/telemetry'))) {
    const path = `src/telemetry/${name}`;
    const exports = name.endsWith('.ts') ? constantsIn(readFileSync(join(root, path), 'utf8')) : [];
    if (exports.some((constant) => constant.name === 'METRICS')) return metricsPage((await load(path))['METRICS']);
  }
  return null;
}

function markdownPages(root: string): string[] {
  const docs = readdirOrNone(join(root, 'docs')).filter((path) => path.endsWith('.md'));
  return [
    ...docs.map((path) => `docs/${path.replaceAll('\\', '/')}`),
    ...(readOrNull(join(root, 'README.md')) === null ? [] : ['README.md']),
  ];
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function readdirOrNone(path: string): string[] {
  try {
    return (readdirSync(path, { recursive: true }) as string[]).sort();
  } catch {
    return [];
  }
}

function listOrNone(path: string): string[] {
  return readdirOrNone(path).filter((name) => !/[\\/]/.test(name));
}

async function main(isCheck: boolean): Promise<number> {
  const { pages, faults, notes } = await generateDocs();
  const stale = [...pages].filter(([path, text]) => readOrNull(join(ROOT, path)) !== text);
  for (const note of notes) console.log(note);
  for (const fault of faults) console.error(fault);
  for (const [path, text] of stale) {
    if (isCheck) console.error(`${path} is out of date. Run: npm run docs`);
    else {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true });
      writeFileSync(join(ROOT, path), text);
      console.log(`wrote ${path}`);
    }
  }
  return faults.length > 0 || (isCheck && stale.length > 0) ? 1 : 0;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.includes('--check'));
}
