// Values of any schema, for property tests: walks the schema itself, so that a new key is tried from the day it exists.
// Right in form, though rarely in sense. Leaves are drawn from a pool of words that some part of the schema takes.
import fc from 'fast-check';
import { faultOf, type Schema } from '../../src/model/schema-node.ts';

/** What the walk reads of a schema. */
interface Node {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly key?: Node;
  readonly value?: Node;
  readonly item?: Node;
  readonly wrapped?: Node;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly message?: unknown;
}

const TEXTS = [
  'UNAVAILABLE',
  '0.5s',
  'a',
  'v1',
  'X-User',
  'GET',
  '503',
  '500-599',
  '/a',
  '/a/b',
  '10ms',
  '2s',
  '1m',
  '64KiB',
  '10.0.0.1:80',
  'a.internal:8080',
  'b.internal',
  '2026-12-01T00:00:00Z',
  'r/z/s',
  'r/*',
  '*',
  '',
];
const NUMBERS = [0, 0.1, 0.5, 1, 2, 3, 10, 99.9, 100, 251, 302, 429, 503, 1_000, 65_537];
const KEYS = ['a', 'v1', 'X-User', 'r/z', 'a/v1', 'kind'];

function fits(node: Node, value: unknown): boolean {
  return faultOf(node as unknown as Schema, value) === null;
}

function fromPool(node: Node, pool: readonly unknown[]): fc.Arbitrary<unknown> {
  const right = pool.filter((value) => fits(node, value));
  if (right.length === 0) throw new Error(`no sample that is ${String(node.message)}; add one to the pool`);
  return fc.constantFrom(...right);
}

export function valueOf(schema: unknown): fc.Arbitrary<unknown> {
  const node = schema as Node;
  switch (node.type) {
    case 'optional':
      return valueOf(node.wrapped);
    case 'union':
      return fc.oneof(...(node.options as readonly Node[]).map(valueOf));
    case 'picklist':
      return fc.constantFrom(...(node.options as readonly unknown[]));
    case 'literal':
      return fc.constant(node.literal);
    case 'boolean':
      return fc.boolean();
    case 'function':
      return fc.constant(() => ({}));
    case 'array': {
      const minLength = fits(node, []) ? 0 : 1;
      return fc.array(valueOf(node.item), { minLength, maxLength: 2 });
    }
    case 'record': {
      const keys = KEYS.filter((key) => fits(node.key as Node, key));
      return fc.dictionary(fc.constantFrom(...keys), valueOf(node.value), { maxKeys: 2 });
    }
    case 'strict_object':
      return objectOf(node);
    default:
      return fromPool(node, node.type === 'number' ? NUMBERS : TEXTS);
  }
}

/** Large mappings get few keys, so that a value stays readable and all of its branches are met in turn. */
function objectOf(node: Node): fc.Arbitrary<unknown> {
  const entries = Object.entries(node.entries ?? {});
  const optional = entries.filter(([, { type }]) => type === 'optional').map(([key]) => key);
  const values = new Map(entries.map(([key, entry]) => [key, valueOf(entry)]));
  const required = entries.map(([key]) => key).filter((key) => !optional.includes(key));
  return fc.subarray(optional, { maxLength: Math.min(optional.length, 5) }).chain((some) => {
    const model = Object.fromEntries([...required, ...some].map((key) => [key, values.get(key) as fc.Arbitrary<unknown>]));
    return fc.record(model);
  });
}

export interface Place {
  readonly path: readonly (string | number)[];
  readonly holder: Record<string, unknown>;
  /** Keys that may stand here. */
  readonly allowed: readonly string[];
}

/** Every mapping of the value whose keys the schema knows. */
export function placesOf(schema: unknown, value: unknown, path: Place['path'] = []): Place[] {
  const node = schema as Node;
  if (node.type === 'optional') return placesOf(node.wrapped, value, path);
  if (node.type === 'union') {
    const branch = (node.options as readonly Node[]).find((option) => fits(option, value));
    return branch === undefined ? [] : placesOf(branch, value, path);
  }
  if (node.type === 'array') return (value as unknown[]).flatMap((item, i) => placesOf(node.item, item, [...path, i]));
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  if (node.type === 'record') return Object.entries(holder).flatMap(([key, own]) => placesOf(node.value, own, [...path, key]));
  if (node.type !== 'strict_object') return [];
  const entries = node.entries ?? {};
  const within = Object.entries(holder).flatMap(([key, own]) => placesOf(entries[key], own, [...path, key]));
  return [{ path, holder, allowed: Object.keys(entries) }, ...within];
}
