// The form of a VirtualService. How the fields hang together is checked in check-virtual-service.ts.
import type { Schema } from '../../model/schema-scalar.ts';
import { anyText, anything, boolean, labels, listOrNothing, names, number, object, oneOf } from '../../model/schema-scalar.ts';
import { resourceSchema } from '../resource-schema.ts';
import { destination, int32, optional, optionals, percentage, stringMatch, texts, timeSpan, uint32 } from './schema-words.ts';

export function virtualServiceSchema(): Schema {
  const spec = object(
    optionals({
      hosts: texts,
      gateways: texts,
      http: listOrNothing(httpRoute()),
      // Nobody in a process can obey them; that they are there is reported.
      tls: listOrNothing(anything),
      tcp: listOrNothing(anything),
      exportTo: texts,
    }),
  );
  return resourceSchema({ spec: optional(spec) });
}

const matchesByName: Schema = names(stringMatch);

function httpMatch(): Schema {
  return object(
    optionals({
      name: anyText,
      uri: stringMatch,
      scheme: stringMatch,
      method: stringMatch,
      authority: stringMatch,
      headers: matchesByName,
      withoutHeaders: matchesByName,
      queryParams: matchesByName,
      port: uint32,
      sourceLabels: labels,
      sourceNamespace: anyText,
      gateways: texts,
      ignoreUriCase: boolean,
      statPrefix: anyText,
    }),
  );
}

function headers(): Schema {
  const operations = object(optionals({ set: names(anyText, anyText), add: names(anyText, anyText), remove: texts }));
  return object(optionals({ request: operations, response: operations }));
}

function httpRoute(): Schema {
  const target = object({ destination, weight: optional(int32), headers: optional(headers()) });
  return object(
    optionals({
      name: anyText,
      match: listOrNothing(httpMatch()),
      route: listOrNothing(target),
      redirect: redirect(),
      directResponse: object({ status: uint32, body: optional(object(optionals({ string: anyText, bytes: anyText }))) }),
      delegate: object(optionals({ name: anyText, namespace: anyText })),
      rewrite: rewrite(),
      timeout: timeSpan,
      retries: retries(),
      fault: fault(),
      mirror: destination,
      mirrors: listOrNothing(object({ destination, percentage: optional(percentage) })),
      mirrorPercent: uint32,
      mirror_percent: uint32,
      mirrorPercentage: percentage,
      corsPolicy: corsPolicy(),
      headers: headers(),
    }),
  );
}

function redirect(): Schema {
  return object(
    optionals({
      uri: anyText,
      prefixRewrite: anyText,
      authority: anyText,
      scheme: anyText,
      port: uint32,
      derivePort: oneOf('FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'),
      redirectCode: uint32,
    }),
  );
}

function rewrite(): Schema {
  return object(optionals({ uri: anyText, authority: anyText, uriRegexRewrite: object(optionals({ match: anyText, rewrite: anyText })) }));
}

function retries(): Schema {
  return object(
    optionals({
      attempts: int32,
      perTryTimeout: timeSpan,
      retryOn: anyText,
      retryRemoteLocalities: boolean,
      retryIgnorePreviousHosts: boolean,
      backoff: timeSpan,
    }),
  );
}

function fault(): Schema {
  const delay = optionals({ percent: number(0, 100), percentage, fixedDelay: timeSpan, exponentialDelay: timeSpan });
  const abort = optionals({ percentage, httpStatus: int32, grpcStatus: anyText, http2Error: anyText });
  return object(optionals({ delay: object(delay), abort: object(abort) }));
}

function corsPolicy(): Schema {
  return object(
    optionals({
      allowOrigin: texts,
      allowOrigins: listOrNothing(stringMatch),
      allowMethods: texts,
      allowHeaders: texts,
      exposeHeaders: texts,
      maxAge: timeSpan,
      allowCredentials: boolean,
      unmatchedPreflights: oneOf('UNSPECIFIED', 'FORWARD', 'IGNORE'),
    }),
  );
}
