// Our schema as valibot knows it: for the JSON Schema, and to hold our own checks against.
import * as v from 'valibot';
import type { Action, Schema } from '../../src/model/schema-node.ts';

type Piped = v.PipeItem<unknown, unknown, v.BaseIssue<unknown>>;

function toAction({ type, requirement, message }: Action): unknown {
  switch (type) {
    case 'metadata':
      return v.metadata(requirement as Record<string, unknown>);
    case 'check':
      return v.check(requirement as () => boolean, message);
    case 'regex':
      return v.regex(requirement as RegExp, message);
    case 'non_empty':
      return v.nonEmpty(message);
    case 'integer':
      return v.integer(message);
    case 'finite':
      return v.finite(message);
    case 'values':
      return v.values(requirement as number[], message);
  }
  const bounds = {
    min_length: v.minLength,
    max_length: v.maxLength,
    max_entries: v.maxEntries,
    min_value: v.minValue,
    max_value: v.maxValue,
    gt_value: v.gtValue,
    lt_value: v.ltValue,
  } as Readonly<Record<string, (bound: never, message: never) => unknown>>;
  const make = bounds[type];
  if (make === undefined) throw new Error(`what is ${type} in valibot?`);
  return make(requirement as never, message as never);
}

export function toValibot(schema: Schema): v.GenericSchema {
  const { pipe, message = '' } = schema;
  if (pipe !== undefined) {
    const [first, ...actions] = pipe as readonly [Schema, ...Action[]];
    return v.pipe(toValibot(first), ...(actions.map(toAction) as [Piped])) as v.GenericSchema;
  }
  switch (schema.type) {
    case 'string':
      return v.string(message);
    case 'number':
      return v.number(message);
    case 'boolean':
      return v.boolean(message);
    case 'function':
      return v.function(message);
    case 'unknown':
      return v.unknown();
    case 'picklist':
      return v.picklist(schema.options as readonly string[], message);
    case 'literal':
      return v.literal(schema.literal as boolean, message);
    case 'optional':
      return v.optional(toValibot(schema.wrapped as Schema));
    case 'union':
      return v.union((schema.options as readonly Schema[]).map(toValibot));
    case 'array':
      return v.array(toValibot(schema.item as Schema));
    case 'record':
      return v.record(toValibot(schema.key as Schema) as v.GenericSchema<string, string>, toValibot(schema.value as Schema));
    case 'strict_object':
      return v.strictObject(Object.fromEntries(Object.entries(schema.entries ?? {}).map(([key, entry]) => [key, toValibot(entry)])));
  }
}
