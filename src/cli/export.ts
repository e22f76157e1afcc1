// `inmesh export`: a configuration in the words of a mesh, for the day when it moves into one, and what that mesh cannot say.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { EXPORT_TARGETS, exportConfig, type ExportedDocument, type ExportTarget } from '../yaml/export.ts';
import { type CommandInput, configPaths, type Terminal, UsageError } from './command.ts';
import { loadPaths } from './load-paths.ts';
import { exitCode, lossOptions, reportText } from './losses.ts';

export async function exportCommand({ positionals, values, terminal }: CommandInput): Promise<number> {
  const target = targetOf(values.to);
  const options = lossOptions(values);
  const paths = configPaths(positionals, terminal.env);
  const folder = folderOf(values.output, paths, terminal.cwd);
  const loaded = await loadPaths(paths, terminal, values.lenient === true);
  if (loaded === null) return 1;
  const { documents, losses } = await exportConfig(loaded, target);
  if (folder === null) {
    terminal.out(documents.map(({ text }) => text).join('---\n'));
    terminal.err(loaded.hide(reportText(losses, [], options)));
  } else {
    const files = await writeAll(documents, folder, terminal);
    if (!options.isJson) terminal.out(files.map((file) => `${file}\n`).join(''));
    terminal.out(loaded.hide(reportText(losses, files, options)));
  }
  return exitCode(losses, options);
}

function targetOf(value: unknown): ExportTarget {
  const found = EXPORT_TARGETS.find((target) => target === value);
  if (found !== undefined) return found;
  const words = EXPORT_TARGETS.join(', ');
  throw new UsageError(value === undefined ? `say --to, one of ${words}` : `--to is one of ${words}, not ${JSON.stringify(value)}`);
}

/** null: standard output. What was read must not find what was written beside it, the next time. */
function folderOf(output: unknown, paths: readonly string[], cwd: string): string | null {
  if (typeof output !== 'string' || output === '-') return null;
  const folder = resolve(cwd, output);
  const holder = paths.find((path) => `${folder}${sep}`.startsWith(`${resolve(cwd, path)}${sep}`));
  if (holder !== undefined) {
    throw new UsageError(`--output ${output} is inside ${holder}, which is read: the next load would read both; name another folder`);
  }
  return folder;
}

async function writeAll(documents: readonly ExportedDocument[], folder: string, { cwd }: Terminal): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const taken = new Set<string>();
  const files: string[] = [];
  for (const document of documents) {
    const path = join(folder, fileName(document, taken));
    await writeFile(path, document.text);
    files.push(relative(cwd, path));
  }
  return files;
}

/** `default.reviews.virtualservice.yaml`. A name from a document must not lead out of the folder. */
function fileName({ namespace, name, kind }: ExportedDocument, taken: Set<string>): string {
  const plain = `${namespace}.${name}.${kind}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, '-')
    .replace(/^\.+/, '');
  let free = plain;
  for (let i = 2; taken.has(free); i++) free = `${plain}-${i}`;
  taken.add(free);
  return `${free}.yaml`;
}
