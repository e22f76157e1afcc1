// Changes to the head of a request before the handler sees it: everywhere that Node shows it. Raw pairs are edited in place, because
// the call shares them.
import type { IncomingMessage } from 'node:http';

/** Names in lower case. Order: remove, set, append. */
export interface HeadEdits {
  readonly remove: readonly string[];
  /** In place of what is there. */
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly append: readonly (readonly [name: string, value: string])[];
  /** Path and query; null: as it is. */
  readonly target: string | null;
}

export const NO_EDITS: HeadEdits = Object.freeze({ remove: [], set: [], append: [], target: null });

type Request = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url'>;

export function editHead(request: Request, { remove, set, append, target }: HeadEdits): void {
  const gone = new Set([...remove, ...set.map(([name]) => name)]);
  if (gone.size > 0) dropHeaders(request, gone);
  for (const [name, value] of set) addHeader(request, name, value, ',');
  for (const [name, value] of append) addHeader(request, name, value, name === 'cookie' ? '; ' : ', ');
  if (target !== null) request.url = target;
}

function dropHeaders({ headers, rawHeaders }: Request, names: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (names.has(name.toLowerCase())) continue;
    rawHeaders[kept++] = name;
    rawHeaders[kept++] = rawHeaders[i + 1] as string;
  }
  rawHeaders.length = kept;
  for (const name of names) delete headers[name];
}

function addHeader({ headers, rawHeaders }: Request, name: string, value: string, separator: string): void {
  rawHeaders.push(name, value);
  const known = headers[name];
  headers[name] = known === undefined ? value : `${[known].flat().join(separator)}${separator}${value}`;
}
