// The form of BackendTLSPolicy, XBackendTrafficPolicy and ReferenceGrant.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, labels, listOrNothing, object, oneOf, text } from '../../model/schema-scalar.ts';
import { optionals } from '../optional-fields.ts';
import { resourceSchema } from '../resource-schema.ts';
import { budget, objectName, sessionPersistence, targetRefs } from './schema-words.ts';

export function backendTlsPolicySchema(): Schema {
  const subjectAltName = object({ type: oneOf('Hostname', 'URI'), ...optionals({ hostname: anyText, uri: anyText }) });
  const reference = object({ group: anyText, kind: text('a kind'), name: objectName });
  const validation = object({
    hostname: text('a host name'),
    ...optionals({
      caCertificateRefs: listOrNothing(reference),
      wellKnownCACertificates: anyText,
      subjectAltNames: listOrNothing(subjectAltName),
    }),
  });
  return resourceSchema({ spec: object({ targetRefs: targetRefs(true), validation, ...optionals({ options: labels }) }) });
}

export function backendTrafficPolicySchema(): Schema {
  const spec = object({
    targetRefs: targetRefs(false),
    ...optionals({ retryConstraint: budget(), sessionPersistence: sessionPersistence() }),
  });
  return resourceSchema({ spec });
}

export function referenceGrantSchema(): Schema {
  const from = listOrNothing(object({ group: anyText, kind: text('a kind'), namespace: text('a namespace') }));
  const to = listOrNothing(object({ group: anyText, kind: text('a kind'), ...optionals({ name: objectName }) }));
  return resourceSchema({ spec: object({ from, to }) });
}
