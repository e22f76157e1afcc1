// Words that the schemas of Kubernetes' kinds share, those of the Gateway API included.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, anyOf, anything, integer, listOrNothing, text } from '../../model/schema-scalar.ts';
import { optionals } from '../optional-fields.ts';

/** Fields that say nothing about calls. */
export function unread(...keys: readonly string[]): Record<string, Schema> {
  return optionals(Object.fromEntries(keys.map((key) => [key, anything])));
}

export const texts: Schema = listOrNothing(anyText);

export const portNumber: Schema = integer(1, 65_535);

/** A port by number or by name. */
export const portOrName: Schema = anyOf(portNumber, text('a port number or the name of a port'));
