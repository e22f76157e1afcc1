// What a rule changes in headers. Istio puts the operations of a rule and of its destination together in one order when
// there is one destination, and in the other when there are several; both are written down here as ours.
// Source: Istio, TranslateHeadersOperations, processDestination; Envoy HeaderParser: remove, set, add.
import type { HeaderOperations } from '../../model/route.ts';
import type { Origin } from '../draft.ts';
import { readHeaderText, unknownOperators } from './header-text.ts';
import type { HeaderOperationsSpec } from './virtual-service-spec.ts';

/** Operations as they are written: values in Envoy's notation, names in lower case. */
export interface Operations {
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  /** The host that is set in their guise; '' when none is. */
  readonly authority: string;
}

export const NO_OPERATIONS: Operations = Object.freeze({ set: {}, add: {}, remove: [], authority: '' });

/** `origin`: of the operations themselves. Keys are taken in the order of the alphabet, as Istio does. */
export function readOperations(spec: HeaderOperationsSpec | undefined, origin: Origin, lenient: boolean): Operations {
  if (spec === undefined) return NO_OPERATIONS;
  const authorities = { set: '', add: '' };
  const values = (kind: 'set' | 'add'): Record<string, string> => {
    const output = Object.create(null) as Record<string, string>;
    for (const [name, value] of Object.entries(spec[kind] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (/^(?::authority|host)$/i.test(name)) authorities[kind] = value;
      else if (canBeSaid(value, name, { resource: origin.resource, path: [...origin.path, kind, name] }, lenient))
        output[name.toLowerCase()] = value;
    }
    return output;
  };
  const set = values('set');
  const add = values('add');
  return { set, add, remove: (spec.remove ?? []).map((name) => name.toLowerCase()), authority: authorities.set || authorities.add };
}

function canBeSaid(value: string, name: string, { resource, path }: Origin, lenient: boolean): boolean {
  const [unknown] = unknownOperators(value);
  if (unknown === undefined) return true;
  const message = `%${unknown}% in the header ${name} is answered by proxies, not by inmesh`;
  if (lenient) resource.report.warn(path, `${message}, so the header is left out`, { code: 'INM0011' });
  else resource.report.error(path, `${message}; write a value, or %REQ(name)%`, { code: 'INM0011' });
  return false;
}

export function isEmpty({ set, add, remove }: Operations): boolean {
  return Object.keys(set).length + Object.keys(add).length + remove.length === 0;
}

/** Whether it matters which of the two comes first. */
export function share(a: Operations, b: Operations): boolean {
  const names = new Set(namesOf(a));
  return namesOf(b).some((name) => names.has(name));
}

function namesOf({ set, add, remove }: Operations): string[] {
  return [...Object.keys(set), ...Object.keys(add), ...remove];
}

/** One after the other, as one. undefined when nothing is asked. */
export function inTurn(operations: readonly Operations[]): HeaderOperations | undefined {
  const headers = new Map<string, { set: string | null; added: string[] }>();
  const of = (name: string): { set: string | null; added: string[] } => {
    const known = headers.get(name) ?? { set: null, added: [] };
    headers.set(name, known);
    return known;
  };
  const remove = new Set<string>();
  for (const one of operations) {
    for (const name of one.remove) {
      remove.add(name);
      headers.set(name, { set: null, added: [] });
    }
    for (const [name, value] of Object.entries(one.set)) headers.set(name, { set: value, added: [] });
    for (const [name, value] of Object.entries(one.add)) of(name).added.push(value);
  }
  if (headers.size === 0) return undefined;
  const formatted = [...headers.values()].some(({ set, added }) => [set ?? '', ...added].some((value) => readHeaderText(value).formatted));
  const said = (value: string): string => (formatted ? value : readHeaderText(value).value);
  const set = Object.create(null) as Record<string, string>;
  const add = Object.create(null) as Record<string, string>;
  const append: [string, string][] = [];
  for (const [name, header] of headers) {
    if (header.set !== null) set[name] = said(header.set);
    const [first, ...more] = header.added;
    if (first !== undefined) add[name] = said(first);
    for (const value of more) append.push([name, said(value)]);
  }
  return { set, add, remove: [...remove], ...(append.length === 0 ? {} : { append }), ...(formatted ? { formatted } : {}) };
}

/** All that is removed goes first, then the rest in turn: how Envoy takes operations that stand in one list. */
export function asOneList(operations: readonly Operations[]): HeaderOperations | undefined {
  const remove = operations.flatMap((one) => one.remove);
  return inTurn([{ ...NO_OPERATIONS, remove }, ...operations.map((one) => ({ ...one, remove: [] }))]);
}
