// `inmesh import`: any configuration as one document of the concise form, and what that form cannot say.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { importConfig } from '../yaml/import.ts';
import { type CommandInput, configPaths } from './command.ts';
import { loadPaths } from './load-paths.ts';
import { exitCode, lossOptions, reportText } from './losses.ts';

export async function importCommand({ positionals, values, terminal }: CommandInput): Promise<number> {
  const options = lossOptions(values);
  const loaded = await loadPaths(configPaths(positionals, terminal.env), terminal, values.lenient === true);
  if (loaded === null) return 1;
  const { text, losses } = await importConfig(loaded);
  const { output = '-' } = values;
  if (typeof output !== 'string' || output === '-') {
    terminal.out(text);
    terminal.err(loaded.hide(reportText(losses, [], options)));
  } else {
    await writeFile(resolve(terminal.cwd, output), text);
    if (!options.isJson) terminal.out(`${output}\n`);
    terminal.out(loaded.hide(reportText(losses, [output], options)));
  }
  return exitCode(losses, options);
}
