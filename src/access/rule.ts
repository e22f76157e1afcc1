// One rule of an AuthorizationPolicy, compiled: (any of from) and (any of to) and (all of when). Its answer for a call is
// the set of readings of the path for which it takes the call, as bits; 0 when it takes it for none.
import type { AuthorizationPolicy, AuthorizationRule } from '../model/security.ts';
import { type Condition, type ConditionContext, operationConditions, sourceConditions, whenConditions } from './conditions.ts';
import { type PathCondition, pathCondition } from './path.ts';
import type { AccessRequest } from './request.ts';
import type { HostName } from './host-name.ts';
import type { Reading } from './path-readings.ts';

/** What is known of a path: kept from call to call. */
export interface KnownPath {
  readonly readings: readonly Reading[];
  /** All bits. */
  readonly full: number;
  /** By index of the condition; -1 when it was not asked yet. */
  readonly bits: Int32Array;
}

/** What is known of a caller, by index of the rule: 1 it is meant, 0 it is not, -1 nobody has asked. Kept for its connection. */
export type KnownPeer = Int8Array;

/** Gives what is compiled its places among what is known. */
export interface Places {
  readonly addPath: () => number;
  readonly addPeer: () => number;
}

/** Looks at nothing but the certificate. */
const OF_PEER = /^(?:not)?(?:principals|namespaces|serviceAccounts|trustDomains)$/i;

interface Operation {
  readonly path: PathCondition | null;
  readonly conditions: readonly Condition[];
  readonly names: readonly string[];
}

export class CompiledRule {
  readonly policy: AuthorizationPolicy;
  readonly index: number;
  readonly #operations: readonly Operation[];
  readonly #sources: readonly (readonly Condition[])[];
  readonly #when: readonly Condition[];
  /** -1: its sources are asked each time. */
  readonly #peerIndex: number;

  constructor(policy: AuthorizationPolicy, index: number, context: ConditionContext, places: Places) {
    const { from, to, when } = policy.rules[index] as AuthorizationRule;
    this.policy = policy;
    this.index = index;
    this.#operations = to.map((operation): Operation => {
      const { paths } = operation;
      const path = paths === undefined ? null : pathCondition(paths, places.addPath());
      const conditions = operationConditions(operation, context);
      const own = path === null ? [] : [path.hasValues ? 'paths' : 'notPaths'];
      return { path, conditions, names: [...own, ...conditions.map(({ name }) => name)] };
    });
    this.#sources = from.map((source) => sourceConditions(source, context));
    this.#when = when.flatMap((condition) => whenConditions(condition, context));
    const isOfPeer = from.length > 0 && this.#sources.every((source) => source.every(({ name }) => OF_PEER.test(name)));
    this.#peerIndex = isOfPeer ? places.addPeer() : -1;
  }

  /** The readings for which it takes the call. */
  bits(request: AccessRequest, host: HostName, path: KnownPath, peer: KnownPeer): number {
    const at = this.#peerIndex;
    // Most rules are about somebody else, and that is known.
    if (at >= 0 && !this.#isMeant(at, request, host, peer)) return 0;
    const bits = this.#operationBits(request, host, path);
    if (bits === 0) return 0;
    const sources = this.#sources;
    return (at >= 0 || sources.length === 0 || anySource(sources, request, host)) && hold(this.#when, request, host) ? bits : 0;
  }

  #isMeant(at: number, request: AccessRequest, host: HostName, peer: KnownPeer): boolean {
    const known = peer[at] as number;
    if (known >= 0) return known === 1;
    const isMeant = anySource(this.#sources, request, host);
    peer[at] = isMeant ? 1 : 0;
    return isMeant;
  }

  #operationBits(request: AccessRequest, host: HostName, path: KnownPath): number {
    const operations = this.#operations;
    if (operations.length === 0) return path.full;
    let found = 0;
    for (let i = 0; i < operations.length; i++) {
      const { path: wanted, conditions } = operations[i] as Operation;
      const bits = wanted === null ? path.full : pathBits(wanted, path);
      if (bits !== 0 && hold(conditions, request, host)) found |= bits;
    }
    return found;
  }

  /** All that it asks for; for a call that it takes. */
  describe(): string {
    const names = [
      ...this.#sources.flatMap((source) => source.map(({ name }) => name)),
      ...this.#operations.flatMap((operation) => operation.names),
      ...this.#when.map(({ name }) => name),
    ];
    return names.length === 0 ? 'every call' : [...new Set(names)].join(', ');
  }

  /** The first thing that is not so; for a call that it does not take, or not for every reading of the path. */
  failing(request: AccessRequest, host: HostName, path: KnownPath): string {
    if (this.#sources.length > 0 && !anySource(this.#sources, request, host)) return firstOf(this.#sources, request, host);
    const operations = this.#operations;
    if (operations.length > 0) {
      const open = operations.filter(({ conditions }) => hold(conditions, request, host));
      if (open.length === 0)
        return firstOf(
          operations.map(({ conditions }) => conditions),
          request,
          host,
        );
      const bits = open.reduce((sum, { path: wanted }) => sum | (wanted === null ? path.full : pathBits(wanted, path)), 0);
      if (bits !== path.full) return open.some(({ path: wanted }) => wanted?.hasValues) ? 'paths' : 'notPaths';
    }
    return firstOf([this.#when], request, host);
  }
}

function pathBits(wanted: PathCondition, { bits, readings }: KnownPath): number {
  const known = bits[wanted.index] as number;
  if (known >= 0) return known;
  const found = wanted.bits(readings);
  bits[wanted.index] = found;
  return found;
}

function hold(conditions: readonly Condition[], request: AccessRequest, host: HostName): boolean {
  for (let i = 0; i < conditions.length; i++) if (!(conditions[i] as Condition).test(request, host)) return false;
  return true;
}

function anySource(sources: readonly (readonly Condition[])[], request: AccessRequest, host: HostName): boolean {
  for (let i = 0; i < sources.length; i++) if (hold(sources[i] as readonly Condition[], request, host)) return true;
  return false;
}

/** None of the alternatives holds: the name of the first thing that is not so in the last of them. */
function firstOf(alternatives: readonly (readonly Condition[])[], request: AccessRequest, host: HostName): string {
  const names = alternatives.slice(-1).flatMap((conditions) => conditions.flatMap(({ name, test }) => (test(request, host) ? [] : name)));
  return names.slice(0, 1).join();
}
