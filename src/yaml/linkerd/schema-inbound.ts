// The form of Linkerd's documents about callers. How the fields hang together is checked in check-inbound.ts.
// Source: linkerd2 charts/linkerd-crds/templates/policy.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyOf, anyText, boolean, integer, labels, list, listOrNothing, object, oneOf, text } from '../../model/schema-scalar.ts';
import { optional, optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';
import { DEFAULT_POLICIES } from './inbound-spec.ts';

function selector(): Schema {
  const expression = object({
    key: text('a label key'),
    operator: oneOf('In', 'NotIn', 'Exists', 'DoesNotExist'),
    values: optional(listOrNothing(anyText)),
  });
  return object(optionals({ matchLabels: labels, matchExpressions: listOrNothing(expression) }));
}

const localRef: Record<string, Schema> = { group: optional(anyText), kind: text('a kind'), name: text('a name') };

const ref: Schema = object({ ...localRef, namespace: optional(text('a namespace')) });

const network: Schema = object({
  cidr: text('a range such as 10.0.0.0/8'),
  except: optional(listOrNothing(text('a range such as 10.1.0.0/16'))),
});

export function serverSchema(): Schema {
  const spec = object({
    port: anyOf(integer(1, 65_535), text('a port number or the name of a port')),
    ...optionals({
      podSelector: selector(),
      externalWorkloadSelector: selector(),
      proxyProtocol: oneOf('unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'),
      accessPolicy: oneOf(...DEFAULT_POLICIES),
    }),
  });
  return resourceSchema({ spec });
}

export function linkerdAuthorizationSchema(): Schema {
  return resourceSchema({ spec: object({ targetRef: object(localRef), requiredAuthenticationRefs: listOrNothing(ref) }) });
}

export function meshTlsAuthenticationSchema(): Schema {
  return resourceSchema({ spec: object(optionals({ identities: list(text('an identity')), identityRefs: list(ref) })) });
}

export function networkAuthenticationSchema(): Schema {
  return resourceSchema({ spec: object({ networks: list(network) }) });
}

export function rateLimitSchema(): Schema {
  const rate = { requestsPerSecond: integer(1, 4_294_967_295) };
  const override = object({ ...rate, clientRefs: list(ref) });
  const spec = object({
    targetRef: object(localRef),
    ...optionals({ total: object(rate), identity: object(rate), overrides: listOrNothing(override) }),
  });
  return resourceSchema({ spec });
}

export function serverAuthorizationSchema(): Schema {
  const account = object({ name: text('a service account'), namespace: optional(text('a namespace')) });
  const meshTLS = object(
    optionals({ unauthenticatedTLS: boolean, identities: listOrNothing(text('an identity')), serviceAccounts: listOrNothing(account) }),
  );
  const client = object(optionals({ networks: listOrNothing(network), unauthenticated: boolean, meshTLS }));
  return resourceSchema({ spec: object({ server: object(optionals({ name: text('a Server'), selector: selector() })), client }) });
}
