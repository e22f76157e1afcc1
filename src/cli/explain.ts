// `inmesh explain`: what would become of a call, by the very tables that a running mesh uses. Nothing is sent.
import { loadRegex } from '../route/regex.ts';
import { formatIssues, loadConfig } from '../yaml/load.ts';
import type { CommandInput } from './command.ts';
import { UsageError, configPaths } from './command.ts';

/** What this command needs of a mesh. */
interface ExplainingMesh {
  explain(request: { method: string; url: string; headers: Record<string, string> }): { readonly text: string };
  close(): Promise<void>;
}

type CreateMesh = (options: {
  config: readonly string[];
  watch: boolean;
  readyMs: number;
  env: CommandInput['terminal']['env'];
}) => Promise<ExplainingMesh>;

export async function explain({ positionals, values, terminal }: CommandInput): Promise<number> {
  const { method, url } = target(positionals);
  const headers = parseHeaders((values.header ?? []) as readonly string[]);
  const config = configPaths((values.config ?? []) as readonly string[], terminal.env);
  const regex = await loadRegex();
  // Read once more than needed, so that faults are shown with their frames and nothing else.
  const loaded = await loadConfig(config, { env: terminal.env, cwd: terminal.cwd, checkRegex: (pattern) => regex.check(pattern) });
  if ('issues' in loaded) {
    if (values.json === true) terminal.out(`${JSON.stringify({ ok: false, issues: loaded.issues }, null, 2)}\n`);
    else terminal.err(`${formatIssues(loaded.issues)}\n`);
    return 1;
  }
  const { createMesh }: { createMesh: CreateMesh } = await import('../mesh/mesh.ts');
  const mesh = await createMesh({ config, watch: false, readyMs: 0, env: terminal.env });
  try {
    const explanation = mesh.explain({ method, url, headers });
    terminal.out(values.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : withNewline(explanation.text));
  } finally {
    await mesh.close();
  }
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
