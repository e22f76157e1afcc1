// The form of SMI's documents, of all versions together. What belongs to which version is checked in check-smi.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyOf, anyText, integer, labels, list, listOrNothing, names, number, object, oneOf, text } from '../../model/schema-scalar.ts';
import { optional, optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';

const QUANTITY = 'a number, or a quantity such as 500m';

const kind: Schema = text('a kind such as HTTPRouteGroup');

/** Of a split: always a whole group. */
const groupRef: Schema = object({ apiGroup: optional(anyText), kind, name: text('a name') });

/** Of a TrafficTarget. */
const ruleRef: Schema = object({ kind, name: text('a name'), matches: optional(listOrNothing(text('the name of a match'))) });

export function trafficSplitSchema(): Schema {
  const backend = object({ service: text('a service'), weight: anyOf(number(0), text(QUANTITY)) });
  const spec = object({ service: text('a service'), backends: list(backend), matches: optional(listOrNothing(groupRef)) });
  return resourceSchema({ spec });
}

export function httpRouteGroupSchema(): Schema {
  const match = object({
    name: text('a name'),
    methods: optional(listOrNothing(text('a method such as GET, or *'))),
    pathRegex: optional(anyText),
    headers: optional(names(anyText, text('a header name'))),
  });
  const matches = optional(listOrNothing(match));
  return resourceSchema({ spec: optional(object({ matches })), matches });
}

/** Of TCPRoute and of UDPRoute. */
export function portRouteSchema(): Schema {
  const matches = object(optionals({ name: anyText, ports: listOrNothing(integer(1, 65_535)) }));
  return resourceSchema({ spec: optional(object({ matches: optional(matches) })) });
}

export function trafficTargetSchema(): Schema {
  const identity = {
    kind: text('a kind such as ServiceAccount'),
    name: text('a name'),
    namespace: optional(text('a namespace')),
  };
  const fields = optionals({
    destination: object({ ...identity, port: optional(integer(1, 65_535)) }),
    sources: listOrNothing(object(identity)),
    rules: listOrNothing(ruleRef),
  });
  const specs = optional(listOrNothing(ruleRef));
  return resourceSchema({ spec: optional(object(fields)), ...fields, specs });
}

export function identityBindingSchema(): Schema {
  const expression = object({
    key: text('a label key'),
    operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: optional(listOrNothing(anyText)),
  });
  const schemes = optionals({
    podLabelSelector: object(optionals({ matchLabels: labels, matchExpressions: listOrNothing(expression) })),
    spiffeIdentities: listOrNothing(text('a SPIFFE identity')),
    serviceAccount: text('a service account'),
  });
  return resourceSchema({ spec: object({ schemes: object(schemes) }) });
}
