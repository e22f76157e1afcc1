// The form of a ServiceProfile. How the fields hang together is checked in check-profile.ts.
// Source: linkerd2 charts/linkerd-crds/templates/serviceprofile.yaml.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyOf, anyText, boolean, integer, listOrNothing, number, object, text } from '../../model/schema-scalar.ts';
import { optional, optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';

/** Conditions in conditions; nobody writes more, and nothing recursive runs deeper. */
const DEPTH_MAX = 12;

/** `all`, `any` and `not` of themselves, beside `leaves`. */
function nested(leaves: Record<string, Schema>): Schema {
  let schema = object(optionals(leaves));
  for (let depth = 1; depth < DEPTH_MAX; depth++) {
    const inner = schema;
    schema = object(optionals({ ...leaves, all: listOrNothing(inner), any: listOrNothing(inner), not: inner }));
  }
  return schema;
}

export function serviceProfileSchema(): Schema {
  const status = object(optionals({ min: integer(0, 599), max: integer(0, 599) }));
  const responseClass = object({ condition: nested({ status }), isFailure: optional(boolean) });
  const route = object({
    name: text('a name'),
    condition: nested({ method: anyText, pathRegex: anyText }),
    ...optionals({ responseClasses: listOrNothing(responseClass), isRetryable: boolean, timeout: anyText }),
  });
  const retryBudget = object({ retryRatio: number(0), minRetriesPerSecond: integer(0, 2_147_483_647), ttl: text('a time such as 10s') });
  const dstOverride = object({
    authority: text('a host, with :port if it has one'),
    weight: anyOf(number(0), text('a quantity such as 500m')),
  });
  const spec = object(
    optionals({
      routes: listOrNothing(route),
      retryBudget,
      dstOverrides: listOrNothing(dstOverride),
      opaquePorts: listOrNothing(anyText),
    }),
  );
  return resourceSchema({ spec });
}
