// The form of HTTPRoute and GRPCRoute.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, listOrNothing, object, oneOf, text, token } from '../../model/schema-scalar.ts';
import { texts } from '../k8s/schema-words.ts';
import { optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';
import {
  backendRefs,
  grpcFilters,
  httpFilters,
  matchType,
  parentRefs,
  retry,
  sessionPersistence,
  timeouts,
  valueMatches,
} from './schema-words.ts';

export function httpRouteSchema(): Schema {
  const match = object(
    optionals({
      path: object(optionals({ type: oneOf('Exact', 'PathPrefix', 'RegularExpression'), value: anyText })),
      headers: valueMatches(token),
      queryParams: valueMatches(text('the name of a query parameter')),
      method: oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'),
    }),
  );
  const filters = httpFilters();
  return routeSchema(
    optionals({
      name: text('a name'),
      matches: listOrNothing(match),
      filters,
      backendRefs: backendRefs(filters),
      timeouts: timeouts(),
      retry: retry(),
      sessionPersistence: sessionPersistence(),
    }),
  );
}

export function grpcRouteSchema(): Schema {
  const method = object(optionals({ type: matchType, service: anyText, method: anyText }));
  const match = object(optionals({ method, headers: valueMatches(token) }));
  const filters = grpcFilters();
  return routeSchema(
    optionals({
      name: text('a name'),
      matches: listOrNothing(match),
      filters,
      backendRefs: backendRefs(filters),
      sessionPersistence: sessionPersistence(),
    }),
  );
}

function routeSchema(rule: Record<string, Schema>): Schema {
  const spec = object(
    optionals({
      parentRefs: parentRefs(),
      hostnames: texts,
      rules: listOrNothing(object(rule)),
      useDefaultGateways: oneOf('All', 'None'),
    }),
  );
  return resourceSchema({ spec });
}
