// One rule in the words of the concise form: what holds for its calls in the end, whether the rule says it or the service.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import { GRPC_STATUSES } from '../../model/grpc-status.ts';
import type { HeaderOperations, RouteTarget } from '../../model/route.ts';
import type { FaultPolicy, FallbackPolicy, MirrorPolicy, PathRewrite, RedirectPolicy, RewritePolicy } from '../../model/traffic.ts';
import { CRITICALITIES, CRITICALITY_DEFAULT } from '../../model/traffic.ts';
import { routeRetries } from '../../model/route-retries.ts';
import { describeMatch, describeStrings } from './describe-match.ts';
import { describeRateLimit, describeRetries, describeTimeout } from './describe-policy.ts';
import { described, type Described, statusText, timeText } from './described.ts';
import { defined, type Plain, type PlainMap } from './plain.ts';

/** Its name without the document that a reader has put before it. */
export function routeLabel({ name }: Pick<RouteConfig, 'name'>): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** `service`, or `service/subset`. A subset with policies of its own is a service that has such a name. */
export function targetName({ service, subset }: Pick<RouteTarget, 'service' | 'subset'>): string {
  return subset === undefined || subset === '' ? service : `${service}/${subset}`;
}

/** Whether the rule asks no endpoint. */
export function isAnswering({ redirect, directResponse }: RouteConfig): boolean {
  return redirect !== undefined || directResponse !== undefined;
}

export function describeRoute(route: RouteConfig, service: ServiceConfig): Described {
  const matches = route.matches.map(describeMatch);
  const sending = isAnswering(route) ? described({}) : describeSending(route, service);
  return described(
    {
      name: route.name,
      match: matches.length === 0 ? undefined : matches.map(({ input }) => input),
      ...sending.input,
      headers: describeHeaders(route),
      redirect: route.redirect === undefined ? undefined : describeRedirect(route.redirect),
      directResponse: route.directResponse === undefined ? undefined : describeAnswer(route.directResponse),
      rateLimit: describeRateLimit(route.rateLimit),
    },
    {
      ...Object.fromEntries(
        matches.flatMap(({ foreign }, i) => Object.entries(foreign).map(([path, value]) => [`match[${i}].${path}`, value])),
      ),
      ...sending.foreign,
      ...foreignHeaders('headers.request', route.requestHeaders),
      ...foreignHeaders('headers.response', route.responseHeaders),
    },
  );
}

/** What is said of calls that go out. */
function describeSending(route: RouteConfig, service: ServiceConfig): Described {
  const timeoutMs = route.timeoutMs ?? service.timeoutMs;
  const policy = routeRetries(route, service);
  const retries = describeRetries(policy, timeoutMs);
  // Retries that are off have no word for the time of the only attempt.
  const single = policy.attempts === 0 ? (route.perTryTimeoutMs ?? 0) : 0;
  const isLimited = single > 0 && (timeoutMs === 0 || single < timeoutMs);
  const { sticky, fault, rewrite, hedge, cache, coalesce, fallback, mirrors } = route;
  return described(
    {
      to: Object.fromEntries(route.targets.map((target) => [targetName(target), target.weight])),
      timeout: describeTimeout(timeoutMs),
      ...retries.input,
      sticky: sticky === undefined ? undefined : { ...sticky },
      rewrite: rewrite === undefined ? undefined : describeRewrite(rewrite),
      fault: fault === undefined ? undefined : describeFault(fault),
      mirror: mirrors.length === 0 ? undefined : mirrors.map(describeMirror),
      idempotent:
        hedge === undefined
          ? route.idempotent
          : { extraLoad: hedge.extraLoad, initialDelay: timeText(hedge.delayInitialMs), minDelay: timeText(hedge.delayMinMs) },
      cache:
        cache === undefined
          ? false
          : {
              entries: cache.entriesMax,
              size: cache.bytesMax,
              bodyLimit: cache.bodyBytesMax,
              fresh: cache.fresh,
              staleIfError: timeText(cache.staleIfErrorMs),
              jitter: cache.jitter,
            },
      coalesce:
        coalesce === undefined
          ? false
          : { maxWaiters: coalesce.waitersMax, headers: [...coalesce.headers], bodyLimit: coalesce.bodyBytesMax },
      fallback: fallback === undefined ? undefined : describeFallback(fallback),
      criticality: CRITICALITIES[route.criticality ?? CRITICALITY_DEFAULT],
    },
    {
      ...retries.foreign,
      ...(isLimited ? { perTryTimeout: timeText(single) } : {}),
      ...Object.fromEntries(route.targets.flatMap(foreignTarget)),
      ...(typeof fallback?.answer === 'function' ? { 'fallback.respond': 'a function' } : {}),
    },
  );
}

function foreignTarget(target: RouteTarget): [string, Plain][] {
  const at = `to[${targetName(target)}]`;
  const { requestHeaders, responseHeaders, rewrite, redirect, fails } = target;
  const parts: Readonly<Record<string, Plain | undefined>> = {
    [`${at}.headers`]: requestHeaders === undefined && responseHeaders === undefined ? undefined : describeHeaders(target),
    [`${at}.rewrite`]: rewrite === undefined ? undefined : describeRewrite(rewrite),
    [`${at}.redirect`]: redirect === undefined ? undefined : describeRedirect(redirect),
    [`${at}.fails`]: fails === undefined ? undefined : fails.status,
  };
  return Object.entries(defined(parts));
}

function describeHeaders({
  requestHeaders,
  responseHeaders,
}: Pick<RouteConfig, 'requestHeaders' | 'responseHeaders'>): PlainMap | undefined {
  const headers = defined({ request: describeOperations(requestHeaders), response: describeOperations(responseHeaders) });
  return Object.keys(headers).length === 0 ? undefined : headers;
}

function describeOperations(operations: HeaderOperations | undefined): PlainMap | undefined {
  if (operations === undefined) return undefined;
  // Removed and then set, or added, is set.
  const isAddedAnew = (name: string): boolean => operations.remove.includes(name) && operations.set[name] === undefined;
  const anew = Object.entries(operations.add).filter(([name]) => isAddedAnew(name));
  const set = { ...operations.set, ...Object.fromEntries(anew) };
  const add = Object.fromEntries(Object.entries(operations.add).filter(([name]) => !isAddedAnew(name)));
  const remove = operations.remove.filter((name) => set[name] === undefined);
  const map = defined({
    set: Object.keys(set).length === 0 ? undefined : { ...set },
    add: Object.keys(add).length === 0 ? undefined : { ...add },
    remove: remove.length === 0 ? undefined : [...remove],
  });
  return Object.keys(map).length === 0 ? undefined : map;
}

function foreignHeaders(path: string, operations: HeaderOperations | undefined): Readonly<Record<string, Plain>> {
  const { append = [], formatted } = operations ?? {};
  return defined({
    [`${path}.append`]: append.length === 0 ? undefined : append.map(([name, value]) => [name, value]),
    [`${path}.formatted`]: formatted,
  });
}

function describePathRewrite(path: PathRewrite): PlainMap {
  if (path.kind === 'full') return { path: path.value };
  return path.kind === 'prefix' ? { prefix: path.value } : { regex: { match: path.pattern, substitution: path.substitution } };
}

function describeRewrite({ path, authority }: RewritePolicy): PlainMap {
  return defined({ ...(path === undefined ? {} : describePathRewrite(path)), authority });
}

function describeRedirect({ scheme, host, port, path, status }: RedirectPolicy): PlainMap {
  return defined({ scheme, host, port, ...(path === undefined ? {} : describePathRewrite(path)), status });
}

function describeAnswer({ status, headers, body }: NonNullable<RouteConfig['directResponse']>): PlainMap {
  return defined({ status, body: body === '' ? undefined : body, headers: Object.keys(headers).length === 0 ? undefined : { ...headers } });
}

function describeFault(fault: FaultPolicy): PlainMap {
  const { delay, abort, untilWallMs } = fault;
  const code = abort?.grpcStatus;
  return defined({
    delay: delay === undefined ? undefined : { fixedDelay: timeText(delay.fixedMs), percentage: delay.percent },
    abort:
      abort === undefined
        ? undefined
        : {
            ...(code === undefined ? { httpStatus: abort.status } : { grpcStatus: GRPC_STATUSES[code] ?? code }),
            percentage: abort.percent,
          },
    position: fault.position,
    headers: Object.keys(fault.headers).length === 0 ? undefined : describeStrings(fault.headers),
    by: fault.by,
    maxActive: fault.activeMax,
    blastRadius: fault.blastPercent,
    until: Number.isFinite(untilWallMs) ? new Date(untilWallMs).toISOString() : undefined,
  });
}

function describeMirror({ target, of, percent, hostSuffix, stripHeaders, bodyBytesMax }: MirrorPolicy): PlainMap {
  return {
    to: targetName(target),
    ...(of === undefined ? {} : { of: targetName(of) }),
    percent,
    hostSuffix,
    strip: [...stripHeaders],
    bodyLimit: bodyBytesMax,
  };
}

function describeFallback({ statuses, answer }: FallbackPolicy): PlainMap {
  const fixed = typeof answer === 'function' ? {} : answer;
  const { status, headers = {}, body } = fixed;
  return defined({
    status,
    headers: Object.keys(headers).length === 0 ? undefined : { ...headers },
    body,
    on: statuses.map(statusText),
  });
}
