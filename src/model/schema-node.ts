// What a schema is made of: plain data, and a check for each kind of single value. As valibot has it, by name and by shape, and held
// against it by the tests; a validator of our own because all that a process keeps of it afterwards is this file.
// Whole mappings and lists are walked by schema-check.ts, which says where in them a fault is.

/** Any piece of the schema; what it accepts is described by the types in input.ts. */
export interface Schema {
  readonly kind: 'schema';
  readonly type: SchemaType;
  /** What a single value must be, as the end of "must be …". */
  readonly message?: string;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly key?: Schema;
  readonly value?: Schema;
  readonly item?: Schema;
  readonly wrapped?: Schema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  /** The schema without what was piped after it, and that. */
  readonly pipe?: readonly (Schema | Action)[];
}

type SchemaType =
  | 'string'
  | 'number'
  | 'boolean'
  | 'function'
  | 'unknown'
  | 'picklist'
  | 'literal'
  | 'optional'
  | 'strict_object'
  | 'record'
  | 'array'
  | 'union';

/** A check of a value that is of the right type, or words about the schema. */
export interface Action {
  readonly kind: 'validation' | 'metadata';
  readonly type: string;
  readonly message: string;
  readonly requirement: unknown;
  readonly holds: (value: never) => boolean;
}

type Sized = string | readonly unknown[];

function leaf(type: SchemaType, message: string, more: Partial<Schema> = {}): Schema {
  return { kind: 'schema', type, message, ...more };
}

function validation<V>(type: string, requirement: unknown, message: string, holds: (value: V) => boolean): Action {
  return { kind: 'validation', type, message, requirement, holds };
}

export function pipe(schema: Schema, ...actions: readonly Action[]): Schema {
  return { ...schema, pipe: [schema, ...actions] };
}

export function metadata(about: Readonly<Record<string, unknown>>): Action {
  return { kind: 'metadata', type: 'metadata', message: '', requirement: about, holds: () => true };
}

export const string = (message: string): Schema => leaf('string', message);
export const number = (message: string): Schema => leaf('number', message);
export const boolean = (message: string): Schema => leaf('boolean', message);
export const callback = (message: string): Schema => leaf('function', message);
export const unknown = (): Schema => ({ kind: 'schema', type: 'unknown' });
export const picklist = (options: readonly string[], message: string): Schema => leaf('picklist', message, { options });
export const literal = (value: unknown, message: string): Schema => leaf('literal', message, { literal: value });
export const optional = (wrapped: Schema): Schema => ({ kind: 'schema', type: 'optional', wrapped });
export const strictObject = (entries: Readonly<Record<string, Schema>>): Schema => ({ kind: 'schema', type: 'strict_object', entries });
export const record = (key: Schema, value: Schema): Schema => ({ kind: 'schema', type: 'record', key, value });
export const array = (item: Schema): Schema => ({ kind: 'schema', type: 'array', item });
export const union = (options: readonly Schema[]): Schema => ({ kind: 'schema', type: 'union', options });

export const check = (holds: (value: string) => boolean, message: string): Action => validation('check', holds, message, holds);
export const regex = (pattern: RegExp, message: string): Action =>
  validation('regex', pattern, message, (value: string) => pattern.test(value));
export const nonEmpty = (message: string): Action => validation('non_empty', undefined, message, (value: Sized) => value.length > 0);
export const minLength = (least: number, message: string): Action =>
  validation('min_length', least, message, (value: Sized) => value.length >= least);
export const maxLength = (most: number, message: string): Action =>
  validation('max_length', most, message, (value: Sized) => value.length <= most);
export const maxEntries = (most: number, message: string): Action =>
  validation('max_entries', most, message, (value: object) => Object.keys(value).length <= most);
export const integer = (message: string): Action => validation('integer', undefined, message, Number.isInteger);
export const finite = (message: string): Action => validation('finite', undefined, message, Number.isFinite);
export const minValue = (least: number, message: string): Action =>
  validation('min_value', least, message, (value: number) => value >= least);
export const maxValue = (most: number, message: string): Action => validation('max_value', most, message, (value: number) => value <= most);
export const gtValue = (bound: number, message: string): Action => validation('gt_value', bound, message, (value: number) => value > bound);
export const ltValue = (bound: number, message: string): Action => validation('lt_value', bound, message, (value: number) => value < bound);
export const values = (those: readonly number[], message: string): Action =>
  validation('values', those, message, (value: number) => those.includes(value));

/** What the value should have been, or null when it is right. Of a mapping or a list only whether it is right. */
export function faultOf(schema: Schema, value: unknown): string | null {
  if (schema.pipe === undefined) return isOfType(schema, value) ? null : (schema.message ?? 'something else');
  for (const step of schema.pipe) {
    const fault = step.kind === 'schema' ? faultOf(step, value) : step.holds(value as never) ? null : step.message;
    if (fault !== null) return fault;
  }
  return null;
}

const isRight = (schema: Schema, value: unknown): boolean => faultOf(schema, value) === null;

function isOfType(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'unknown':
      return true;
    case 'number':
      return typeof value === 'number' && !Number.isNaN(value);
    case 'string':
    case 'boolean':
    case 'function':
      return typeof value === schema.type;
    case 'picklist':
      return (schema.options as readonly unknown[]).includes(value);
    case 'literal':
      return value === schema.literal;
    case 'optional':
      return value === undefined || isRight(schema.wrapped as Schema, value);
    case 'union':
      return (schema.options as readonly Schema[]).some((option) => isRight(option, value));
    case 'array':
      return Array.isArray(value) && value.every((item) => isRight(schema.item as Schema, item));
    case 'record':
      return (
        isMapping(value) &&
        Object.keys(value).every((key) => isRight(schema.key as Schema, key) && isRight(schema.value as Schema, value[key]))
      );
    case 'strict_object':
      return isMapping(value) && isObject(schema.entries as Readonly<Record<string, Schema>>, value);
  }
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObject(entries: Readonly<Record<string, Schema>>, value: Record<string, unknown>): boolean {
  const isKnown = Object.keys(value).every((key) => Object.hasOwn(entries, key));
  return isKnown && Object.keys(entries).every((key) => isRight(entries[key] as Schema, value[key]));
}
