// Headers that a route changes or an answer of the mesh carries: in lower case, and none that the connection sets.
import type { HeaderOperationsInput } from './input.ts';
import type { ConfigPath } from './issue.ts';
import { formatPath } from './issue.ts';
import type { Report } from './report.ts';
import { lowerKeys } from './resolve-match.ts';
import type { HeaderOperations } from './route.ts';

/** Set by the transport, framing or routing of a message; changing them would break or smuggle it. */
export const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function resolveHeaders(input: HeaderOperationsInput, path: ConfigPath, report: Report): HeaderOperations {
  const values = (of: 'set' | 'add'): Record<string, string> =>
    lowerKeys(input[of], [...path, of], report, (value, at) => {
      checkName(String(at.at(-1)), at, 'key', path, report);
      return value;
    });
  const remove = (input.remove ?? []).map((name, i) => {
    checkName(name, [...path, 'remove', i], 'value', path, report);
    return name.toLowerCase();
  });
  return { set: values('set'), add: values('add'), remove };
}

/** Of an answer that no endpoint gave. */
export function resolveAnswerHeaders(
  input: Readonly<Record<string, string>> | undefined,
  path: ConfigPath,
  report: Report,
): Record<string, string> {
  return lowerKeys(input, path, report, (value, at) => {
    checkName(String(at.at(-1)), at, 'key', path, report);
    return value;
  });
}

function checkName(name: string, at: ConfigPath, part: 'key' | 'value', path: ConfigPath, report: Report): void {
  if (!RESERVED_HEADERS.has(name.toLowerCase())) return;
  report.error(at, `${formatPath(path)} must not touch ${report.show(at, name)}: the connection sets it`, { part });
}
