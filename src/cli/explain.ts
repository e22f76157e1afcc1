// `inmesh explain`: what would become of a call, by the very tables that a running mesh uses, or whether one would come in.
// Nothing is sent, no certificate is read, no name server asked.
import { loadRegex } from '../route/regex.ts';
import { hostNameOf } from '../access/host-name.ts';
import { formatIssues, loadConfig } from '../yaml/load.ts';
import type { CommandInput } from './command.ts';
import { UsageError, configPaths } from './command.ts';
import type { InboundQuestion } from './explain-inbound.ts';

export async function explain({ positionals, values, terminal }: CommandInput): Promise<number> {
  const headers = parseHeaders((values.header ?? []) as readonly string[]);
  const isInbound = values.inbound === true;
  for (const name of ['principal', 'port', 'from']) {
    if (!isInbound && values[name] !== undefined) throw new UsageError(`--${name} is about callers; add --inbound`);
  }
  const request = isInbound ? question(positionals, values, headers) : { ...target(positionals), headers };
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
  const explanation =
    request !== null && 'url' in request
      ? await (await import('../mesh/explain-config.ts')).explainConfig(loaded.config, request, loaded.at)
      : (await import('./explain-inbound.ts')).explainInbound(loaded.config, request, regex);
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

const HOST_DEFAULT = 'localhost';
const PORT_DEFAULT = 80;
const ADDRESS_DEFAULT = '127.0.0.1';

/** null: about nobody in particular. */
function question(positionals: readonly string[], values: CommandInput['values'], headers: Record<string, string>): InboundQuestion | null {
  const isAboutSomebody = positionals.length > 0 || ['principal', 'port', 'from', 'header'].some((name) => values[name] !== undefined);
  if (!isAboutSomebody) return null;
  const [first = '/', second, ...more] = positionals;
  const [method, place] = second === undefined && /^(\/|https?:)/i.test(first) ? ['GET', first] : [first.toUpperCase(), second ?? '/'];
  const parts = more.length > 0 ? null : partsOf(place);
  if (parts === null) throw new UsageError('give a path or a URL, or a method before it');
  const port = Number(values.port ?? (hostNameOf(parts.authority)?.port || PORT_DEFAULT));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError(`--port takes a port, not ${String(values.port)}`);
  return {
    method,
    target: parts.target,
    authority: headers.host ?? parts.authority,
    headers,
    principal: String(values.principal ?? ''),
    port,
    address: String(values.from ?? ADDRESS_DEFAULT),
  };
}

/** As it is written: what a server would read from it is the question. null: neither a path nor a URL. */
function partsOf(place: string): { readonly authority: string; readonly target: string } | null {
  if (place.startsWith('/')) return { authority: HOST_DEFAULT, target: place };
  const [, authority, rest] = /^https?:\/\/([^/?#]+)([^#]*)/i.exec(place) ?? [];
  if (authority === undefined || rest === undefined) return null;
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
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
