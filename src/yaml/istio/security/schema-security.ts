// The form of Istio's security documents. How the fields hang together is checked in check-*.ts.
// Source: istio/api kubernetes/customresourcedefinitions.gen.yaml.
import type { Schema } from '../../../model/schema-scalar.ts';
import { anyText, boolean, duration, labels, listOrNothing, names, object, oneOf, text } from '../../../model/schema-scalar.ts';
import { resourceSchema } from '../../resource-schema.ts';
import { optional, optionals } from '../schema-words.ts';
import { notName, OPERATION_LISTS, SOURCE_LISTS } from './security-spec.ts';

const selector: Schema = object({ matchLabels: optional(labels) });

const targetRef: Schema = object({
  group: optional(anyText),
  kind: text('a kind such as Service'),
  name: text('a name'),
  namespace: optional(anyText),
});

function scope(): Record<string, Schema> {
  return optionals({ selector, targetRef, targetRefs: listOrNothing(targetRef) });
}

function lists(listNames: readonly string[], item: (name: string) => Schema): Schema {
  const entries = listNames.flatMap((name) => [name, notName(name)].map((key) => [key, listOrNothing(item(name))] as const));
  return object(optionals(Object.fromEntries(entries)));
}

/** Texts that say something. */
const some: Schema = listOrNothing(text());

const portText: Schema = text('a port in quotes, such as "80"');

export function authorizationPolicySchema(): Schema {
  const source = lists(SOURCE_LISTS, () => text());
  const operation = lists(OPERATION_LISTS, (name) => (name === 'ports' ? portText : text()));
  const rule = object(
    optionals({
      from: listOrNothing(object({ source })),
      to: listOrNothing(object({ operation })),
      when: listOrNothing(object({ key: text('an attribute such as source.ip'), values: optional(some), notValues: optional(some) })),
    }),
  );
  const spec = object({
    ...scope(),
    ...optionals({
      action: oneOf('ALLOW', 'DENY', 'AUDIT', 'CUSTOM'),
      provider: object(optionals({ name: anyText })),
      rules: listOrNothing(rule),
    }),
  });
  return resourceSchema({ spec: optional(spec) });
}

export function peerAuthenticationSchema(): Schema {
  const mtls = object(optionals({ mode: oneOf('UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT') }));
  const spec = object(optionals({ selector, mtls, portLevelMtls: names(mtls, text('a port')) }));
  return resourceSchema({ spec: optional(spec) });
}

export function requestAuthenticationSchema(): Schema {
  const rule = object(
    optionals({
      issuer: text('an issuer'),
      audiences: some,
      jwks: anyText,
      jwksUri: text('a URL'),
      jwks_uri: text('a URL'),
      timeout: duration(false, false),
      fromHeaders: listOrNothing(object({ name: text('a header name'), prefix: optional(anyText) })),
      fromParams: some,
      fromCookies: some,
      forwardOriginalToken: boolean,
      outputPayloadToHeader: anyText,
      outputClaimToHeaders: listOrNothing(object({ header: text('a header name'), claim: text('a claim') })),
      spaceDelimitedClaims: some,
      presence: oneOf('OPTIONAL', 'REQUIRED'),
    }),
  );
  return resourceSchema({ spec: optional(object({ ...scope(), jwtRules: optional(listOrNothing(rule)) })) });
}
