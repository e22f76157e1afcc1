// `inmesh explain`: what would become of a call, by the very tables that a running mesh uses. Nothing is sent,
// no certificate is read, no name server asked.
import { loadRegex } from '../route/regex.ts';
import { formatIssues, loadConfig } from '../yaml/load.ts';
import type { CommandInput } from './command.ts';
import { UsageError, configPaths } from './command.ts';

export async function explain({ positionals, values, terminal }: CommandInput): Promise<number> {
  const request = { ...target(positionals), headers: parseHeaders((values.header ?? []) as readonly string[]) };
  const paths = configPaths((values.config ?? []) as readonly string[], terminal.env);
  const regex = await loadRegex();
  const { env, cwd } = terminal;
  const lenient = values.lenient === true;
  const loaded = await loadConfig(paths, { env, cwd, lenient, checkRegex: (pattern) => regex.check(pattern) });
  if ('issues' in loaded) {
    if (values.json === true) terminal.out(`${JSON.stringify({ ok: false, issues: loaded.issues }, null, 2)}\n`);
    else terminal.err(`${formatIssues(loaded.issues)}\n`);
    return 1;
  }
  const { explainConfig } = await import('../mesh/explain-config.ts');
  const explanation = await explainConfig(loaded.config, request, loaded.at);
  terminal.out(values.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : withNewline(explanation.text));
  return 0;
}

function target(positionals: readonly string[]): { method: string; url: string } {
  const [first, second, ...more] = positionals;
  if (first === undefined || more.length > 0) throw new UsageError('give one URL, or a method and a URL');
  const [method, url] = second === undefined ? ['GET', first] : [first.toUpperCase(), second];
  if (!URL.canParse(url) || !/^https?:/i.test(url))
    throw new UsageError(`${JSON.stringify(url)} is not a URL such as http://reviews/api/1`);
  return { method, url };
}

function parseHeaders(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw new UsageError(`the header ${JSON.stringify(line)} has no name; write -H 'name: value'`);
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
