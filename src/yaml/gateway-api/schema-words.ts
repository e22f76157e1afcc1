// Words that the schemas of the Gateway API's kinds share: parents, backends, filters, sessions. How the fields hang
// together is checked apart, so that each fault is told at its own place.
import type { Schema } from '../../model/schema-scalar.ts';
import {
  anyText,
  anything,
  boolean,
  fieldValue,
  integer,
  listOrNothing,
  number,
  numberOf,
  object,
  oneOf,
  status,
  text,
  token,
} from '../../model/schema-scalar.ts';
import { portNumber, texts } from '../k8s/schema-words.ts';
import { optionals } from '../optional-fields.ts';

const WEIGHT_MAX = 1_000_000;

/** GEP-2257; its form is checked later, because 1.5s is a duration elsewhere. */
export const timeSpan: Schema = text('a duration such as 500ms, 10s or 1h30m');

export const objectName: Schema = text('a name');

export function parentRefs(): Schema {
  return listOrNothing(
    object({
      name: objectName,
      ...optionals({ group: anyText, kind: text('a kind'), namespace: text('a namespace'), sectionName: anyText, port: portNumber }),
    }),
  );
}

function backendObject(): Record<string, Schema> {
  return {
    name: objectName,
    ...optionals({ group: anyText, kind: text('a kind'), namespace: text('a namespace'), port: portNumber }),
  };
}

export function backendRefs(filters: Schema): Schema {
  return listOrNothing(object({ ...backendObject(), ...optionals({ weight: integer(0, WEIGHT_MAX), filters }) }));
}

function headerModifier(): Schema {
  const headers = listOrNothing(object({ name: token, value: fieldValue }));
  return object(optionals({ set: headers, add: headers, remove: listOrNothing(token) }));
}

function pathModifier(): Schema {
  return object({
    type: oneOf('ReplaceFullPath', 'ReplacePrefixMatch'),
    ...optionals({ replaceFullPath: anyText, replacePrefixMatch: anyText }),
  });
}

function mirror(): Schema {
  const fraction = object({ numerator: integer(0), ...optionals({ denominator: integer(1) }) });
  return object({ backendRef: object(backendObject()), ...optionals({ percent: integer(0, 100), fraction }) });
}

const localObject: Schema = object({ group: anyText, kind: text('a kind'), name: objectName });

/** Filters that calls of every kind may have. */
function sharedFilters(): Record<string, Schema> {
  return optionals({
    requestHeaderModifier: headerModifier(),
    responseHeaderModifier: headerModifier(),
    requestMirror: mirror(),
    extensionRef: localObject,
  });
}

export function grpcFilters(): Schema {
  const type = oneOf('RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestMirror', 'ExtensionRef');
  return listOrNothing(object({ type, ...sharedFilters() }));
}

export function httpFilters(): Schema {
  const type = oneOf(
    'RequestHeaderModifier',
    'ResponseHeaderModifier',
    'RequestMirror',
    'RequestRedirect',
    'URLRewrite',
    'CORS',
    'ExternalAuth',
    'ExtensionRef',
  );
  const redirect = object(
    optionals({
      scheme: oneOf('http', 'https'),
      hostname: text('a host name'),
      path: pathModifier(),
      port: portNumber,
      statusCode: numberOf(301, 302, 303, 307, 308),
    }),
  );
  const cors = object(
    optionals({
      allowOrigins: texts,
      allowCredentials: boolean,
      allowMethods: listOrNothing(oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*')),
      allowHeaders: listOrNothing(token),
      exposeHeaders: listOrNothing(token),
      maxAge: integer(1),
    }),
  );
  const own = optionals({
    requestRedirect: redirect,
    urlRewrite: object(optionals({ hostname: text('a host name'), path: pathModifier() })),
    cors,
    externalAuth: anything,
  });
  return listOrNothing(object({ type, ...sharedFilters(), ...own }));
}

export function valueMatches(name: Schema): Schema {
  return listOrNothing(object({ name, value: text('a text, in quotes when it looks like a number'), ...optionals({ type: matchType }) }));
}

export const matchType: Schema = oneOf('Exact', 'RegularExpression');

export function timeouts(): Schema {
  return object(optionals({ request: timeSpan, backendRequest: timeSpan }));
}

export function retry(): Schema {
  return object(optionals({ codes: listOrNothing(status), attempts: integer(1), backoff: timeSpan }));
}

/** `sessionName`, `idleTimeout` and `cookieConfig` are of versions before 1.6. */
export function sessionPersistence(): Schema {
  const lifetimeType = oneOf('Permanent', 'Session');
  return object(
    optionals({
      type: oneOf('Cookie', 'Header'),
      sessionName: text('a name'),
      absoluteTimeout: timeSpan,
      idleTimeout: timeSpan,
      cookie: object(optionals({ name: token, path: anyText, lifetimeType })),
      cookieConfig: object(optionals({ lifetimeType })),
      header: object({ name: token }),
    }),
  );
}

/** What policies are laid on. */
export function targetRefs(withSection: boolean): Schema {
  return listOrNothing(
    object({ group: anyText, kind: text('a kind'), name: objectName, ...(withSection ? optionals({ sectionName: anyText }) : {}) }),
  );
}

export function budget(): Schema {
  const share = object(optionals({ percent: number(0, 100), interval: timeSpan }));
  return object(optionals({ budget: share, minRetryRate: object(optionals({ count: integer(1), interval: timeSpan })) }));
}
