// Loads one text of documents with the real regular expressions, and gives what came of it.
import type { MeshConfig } from '../../../src/model/config.ts';
import type { ConfigIssue } from '../../../src/model/issue.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { describeIssue } from '../../../src/yaml/format.ts';
import { loadConfig } from '../../../src/yaml/load.ts';

export interface LoadedText {
  /** null after errors. */
  readonly config: MeshConfig | null;
  readonly issues: readonly ConfigIssue[];
}

const regex = await loadRegex();

export async function loadText(text: string, { lenient = false }: { lenient?: boolean } = {}): Promise<LoadedText> {
  const result = await loadConfig('mesh.yaml', {
    env: {},
    cwd: '/app',
    readFile: async () => text,
    checkRegex: (pattern) => regex.check(pattern),
    lenient,
  });
  return 'issues' in result ? { config: null, issues: result.issues } : { config: result.config, issues: result.warnings };
}

/** The configuration; throws when there are errors. */
export async function goodText(text: string, options: { lenient?: boolean } = {}): Promise<MeshConfig> {
  const { config, issues } = await loadText(text, options);
  if (config === null) throw new Error(issues.map(shown).join('\n'));
  return config;
}

/** `3:5 error IST0106 message`. */
export function shown(issue: ConfigIssue): string {
  const { position, severity, code } = issue;
  return `${position?.line}:${position?.column} ${severity} ${code ?? '-'} ${describeIssue(issue)}`;
}

export async function issuesOfText(text: string, options: { lenient?: boolean } = {}): Promise<string[]> {
  return (await loadText(text, options)).issues.map(shown);
}
