// The codes that a configuration gets, from the load and from the analyzers, as `inmesh check` would say them.
import { loadRegex } from '../../../src/route/regex.ts';
import { analyze } from '../../../src/yaml/analyze/analyze.ts';
import type { Finding } from '../../../src/yaml/analyze/findings.ts';
import { type LoadedConfig, loadConfig } from '../../../src/yaml/load.ts';

export interface Checked {
  readonly codes: readonly string[];
  readonly findings: readonly Finding[];
  /** null: it could not be loaded. */
  readonly loaded: LoadedConfig | null;
  /** What the load said, code or not. */
  readonly messages: readonly string[];
}

export async function checked(text: string, { lenient = false, isWhole = true } = {}): Promise<Checked> {
  const regex = await loadRegex();
  const options = {
    env: {},
    cwd: '/configs',
    lenient,
    readFile: () => Promise.resolve(text),
    checkRegex: (pattern: string) => regex.check(pattern),
  };
  const result = await loadConfig('mesh.yaml', options);
  const issues = 'issues' in result ? result.issues : result.warnings;
  const loaded = 'issues' in result ? null : result;
  const findings = loaded === null ? [] : analyze(loaded.config, loaded.resources, { at: loaded.at, isWhole });
  const codes = [...issues.flatMap(({ code }) => code ?? []), ...findings.map(({ code }) => code)];
  return { codes, findings, loaded, messages: issues.map(({ message }) => message) };
}
