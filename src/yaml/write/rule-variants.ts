// One rule of ours as the rules that another mesh needs for it. Here retries look at the method of a call, and faults at
// its headers; there a rule has one set of retries and one fault for all its calls. So the calls are told apart first.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RetryCondition, RetryPolicy } from '../../model/destination.ts';
import type { RouteMatch, StringMatch } from '../../model/route.ts';
import { routeRetries } from '../../model/route-retries.ts';
import { isAnswering } from './describe-route.ts';
import { escapePattern } from './segment-rewrite.ts';

export interface RuleVariant {
  /** Its name is that of the rule and this: `canary-idempotent`, `canary`. */
  readonly suffix: string;
  readonly matches: readonly RouteMatch[];
  /** null: none. undefined: nobody has said anything. */
  readonly retries: RetryPolicy | null | undefined;
  readonly hasFault: boolean;
}

export interface VariantOptions {
  /** Whether anybody wants the retries that the service has. */
  readonly areRetriesSaid: boolean;
  /** Whether one condition can list methods; otherwise each is a match of its own, and few are listed: those not to be repeated. */
  readonly isListed: boolean;
  /** All that there are, when they are not listed. */
  readonly methods?: readonly string[];
}

/** After these the endpoint cannot have acted, whatever the method. */
const UNPROCESSED: ReadonlySet<RetryCondition> = new Set(['connect-failure', 'refused-stream']);
/** Methods that a rule for all has to think of. */
const OFTEN_REPEATABLE: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH'];
const KEY_HEADER = 'idempotency-key';

/** The first that takes a call decides; the last takes all that the rule takes. */
export function ruleVariants(route: RouteConfig, service: ServiceConfig, options: VariantOptions): RuleVariant[] {
  if (!options.areRetriesSaid) return faultVariants(route).map((part) => ({ ...part, retries: undefined }));
  if (isAnswering(route)) return [{ suffix: '', matches: route.matches, retries: null, hasFault: false }];
  const byFault = faultVariants(route);
  return byFault.flatMap((fault) => retryVariants(route, service, fault.matches, options).map((retry) => joined(fault, retry)));
}

type Part = Pick<RuleVariant, 'suffix' | 'matches'>;

function joined(fault: Part & { readonly hasFault: boolean }, retry: Part & { readonly retries: RetryPolicy | null }): RuleVariant {
  return { suffix: `${fault.suffix}${retry.suffix}`, matches: retry.matches, retries: retry.retries, hasFault: fault.hasFault };
}

/** Calls that carry the headers of the fault come first. */
function faultVariants({ fault, matches }: RouteConfig): (Part & { readonly hasFault: boolean })[] {
  const hasFault = fault !== undefined;
  const headers = fault?.headers ?? {};
  if (Object.keys(headers).length === 0) return [{ suffix: '', matches, hasFault }];
  const narrowed = bothOf(matches, (match) => withHeaders(match, headers));
  if (narrowed === null) return [{ suffix: '', matches, hasFault: false }];
  return [
    { suffix: '-fault', matches: narrowed, hasFault },
    { suffix: '', matches, hasFault: false },
  ];
}

function retryVariants(
  route: RouteConfig,
  service: ServiceConfig,
  matches: readonly RouteMatch[],
  options: VariantOptions,
): (Part & { readonly retries: RetryPolicy | null })[] {
  const retries = routeRetries(route, service);
  if (retries.attempts === 0) return [{ suffix: '', matches, retries: null }];
  if (!looksAtMethods(route, retries)) return [{ suffix: '', matches, retries }];
  const once = unprocessedOnly(retries);
  const methods = new Set(retries.methods);
  const areListed = matches.map(({ method }) => listedMethods(method)?.every((one) => methods.has(one)) ?? false);
  if (matches.length > 0 && areListed.every(Boolean)) return [{ suffix: '', matches, retries }];
  if (!options.isListed) return exceptedVariants(matches, retries, options.methods ?? []);
  const repeatable = repeatableMatches(matches, retries);
  // Where the method is asked for otherwise, who may be repeated cannot be told apart; better too few than too many.
  if (repeatable === null) return [{ suffix: '', matches, retries: once }];
  return [
    { suffix: '-idempotent', matches: repeatable, retries },
    // Of what was asked for before, nothing comes as far as this.
    { suffix: '', matches, retries: once },
  ];
}

/** Calls that are sent once come first; they are not repeated at all. */
function exceptedVariants(
  matches: readonly RouteMatch[],
  retries: RetryPolicy,
  methods: readonly string[],
): (Part & { readonly retries: RetryPolicy | null })[] {
  const others = methods.filter((method) => !retries.methods.includes(method));
  const once = bothOf(matches, (match) => onMethods(match, others));
  if (once === null) return [{ suffix: '', matches, retries: null }];
  if (once.length === 0) return [{ suffix: '', matches, retries }];
  const isAll = matches.length > 0 && matches.every(({ method }) => listedMethods(method)?.every((one) => others.includes(one)) === true);
  if (isAll) return [{ suffix: '', matches, retries: null }];
  return [
    { suffix: '-once', matches: once, retries: null },
    { suffix: '', matches, retries },
  ];
}

function looksAtMethods({ idempotent }: RouteConfig, { semantics, retryOn, methods }: RetryPolicy): boolean {
  if (semantics !== undefined || idempotent || methods.includes('*')) return false;
  return !retryOn.every((condition) => UNPROCESSED.has(condition)) && !OFTEN_REPEATABLE.every((method) => methods.includes(method));
}

/** null: nothing is left to repeat on. */
function unprocessedOnly(retries: RetryPolicy): RetryPolicy | null {
  const retryOn = retries.retryOn.filter((condition) => UNPROCESSED.has(condition));
  return retryOn.length === 0 ? null : { ...retries, retryOn };
}

/** Calls whose method may be repeated, and those that say so themselves. */
function repeatableMatches(matches: readonly RouteMatch[], { methods }: RetryPolicy): RouteMatch[] | null {
  const listed = bothOf(matches, (match) => onMethods(match, methods));
  const keyed = bothOf(matches, (match) => {
    const isListed = listedMethods(match.method)?.every((method) => methods.includes(method)) ?? false;
    return isListed ? undefined : withHeaders(match, { [KEY_HEADER]: { kind: 'present', invert: false } });
  });
  return keyed === null || listed === null ? null : [...listed, ...keyed];
}

const WORDS = /^[A-Z]+(?:\|[A-Z]+)*$/;

/** The methods that a condition means; undefined when it does not list them. */
function listedMethods(method: StringMatch | undefined): readonly string[] | undefined {
  if (method === undefined || method.invert || method.kind === 'present' || method.kind === 'prefix') return undefined;
  if (method.kind === 'exact') return [method.value];
  return WORDS.test(method.value) ? method.value.split('|') : undefined;
}

/** The match for these methods alone; undefined: it means none of them. null: that cannot be told. */
function onMethods(match: RouteMatch, methods: readonly string[]): RouteMatch | null | undefined {
  const asked = match.method === undefined ? methods : listedMethods(match.method)?.filter((method) => methods.includes(method));
  if (asked === undefined) return null;
  if (asked.length === 0) return undefined;
  const [only = ''] = asked;
  const method: StringMatch =
    asked.length === 1
      ? { kind: 'exact', value: only, invert: false }
      : { kind: 'regex', value: asked.map(escapePattern).join('|'), invert: false };
  return { ...match, method };
}

/** Every match changed; undefined leaves one out, null gives it all up. No match is one that asks for nothing. */
function bothOf(matches: readonly RouteMatch[], change: (match: RouteMatch) => RouteMatch | null | undefined): RouteMatch[] | null {
  const changed: RouteMatch[] = [];
  for (const match of matches.length === 0 ? [{ headers: {}, queryParams: {} }] : matches) {
    const one = change(match);
    if (one === null) return null;
    if (one !== undefined) changed.push(one);
  }
  return changed;
}

/** null: one name cannot have two conditions. */
function withHeaders(match: RouteMatch, headers: Readonly<Record<string, StringMatch>>): RouteMatch | null {
  const isTaken = Object.keys(headers).some((name) => match.headers[name] !== undefined);
  return isTaken ? null : { ...match, headers: { ...match.headers, ...headers } };
}
