// The concise form without what holds anyway: a policy says only what differs from the level above it.
import type { ServiceConfig } from '../../model/config.ts';
import type { ServiceInput } from '../../model/input.ts';
import { resolveConfig } from '../../model/resolve.ts';
import { describePolicies } from './describe-service.ts';
import { isPlainMap, type Plain, type PlainMap, plainKey } from './plain.ts';

/** Policies that are on with all defaults by one word. */
const SWITCHES: ReadonlySet<string> = new Set(['healthCheck', 'throttle', 'cache', 'coalesce']);

/** What a policy is told apart by: with another one of these nothing of the level above holds. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  retryBudget: ['mode'],
  outlierDetection: ['mode'],
  circuitBreaker: ['failureRatio', 'consecutive', 'count'],
  healthCheck: ['http', 'tcp', 'grpc'],
  loadBalancer: ['kind'],
};

/** undefined: nothing to say. `base`: what holds anyway. */
export function minimalPolicy(key: string, value: Plain, base: Plain | undefined): Plain | undefined {
  if (base !== undefined && plainKey(value) === plainKey(base)) return undefined;
  if (!isPlainMap(value)) return value;
  const against = isPlainMap(base) && isSameKind(key, value, base) ? base : defaultsFor(key, value);
  const said = against === null ? value : difference(value, against);
  const kind = kindOf(key, value, isPlainMap(base) ? base : {});
  // A kind that hashes is none without its key.
  const keys = kind.kind !== undefined && value.hash !== undefined ? { hash: value.hash } : {};
  const kept = { ...kind, ...keys, ...said };
  if (Object.keys(kept).length > 0) return kept;
  return SWITCHES.has(key) ? true : {};
}

function isSameKind(key: string, value: PlainMap, base: PlainMap): boolean {
  return (KINDS[key] ?? []).every((name) => {
    const [own, other] = [value[name], base[name]];
    return name === 'mode' || name === 'kind' ? own === other : (own === undefined) === (other === undefined);
  });
}

/** Must be said where the level above has another. */
function kindOf(key: string, value: PlainMap, base: PlainMap): PlainMap {
  if (isSameKind(key, value, base)) return {};
  const names = (KINDS[key] ?? []).filter(
    (name) => value[name] !== undefined && !(value[name] === 'inmesh' && Object.keys(base).length === 0),
  );
  return Object.fromEntries(names.map((name) => [name, value[name] as Plain]));
}

function difference(value: PlainMap, base: PlainMap): PlainMap {
  const said: Record<string, Plain> = {};
  for (const [name, own] of Object.entries(value)) {
    const other = base[name];
    if (other !== undefined && plainKey(own) === plainKey(other)) continue;
    said[name] = isPlainMap(own) && isPlainMap(other) ? difference(own, other) : own;
  }
  return said;
}

const ENDPOINT = '192.0.2.1:80';

/** What the kind alone comes to; null when that cannot be asked. */
function defaultsFor(key: string, value: PlainMap): PlainMap | null {
  const kind = Object.fromEntries((KINDS[key] ?? []).flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]])));
  const more = key === 'loadBalancer' && value.hash !== undefined ? { hash: value.hash } : {};
  const policy = Object.keys({ ...kind, ...more }).length === 0 ? undefined : { ...kind, ...more };
  const service = { endpoints: [ENDPOINT], ...(policy === undefined ? {} : { [key]: policy }) } as ServiceInput;
  const resolved = resolveConfig({ services: { x: service } });
  if ('issues' in resolved) return null;
  const described = describePolicies(resolved.config.services.x as ServiceConfig).input[key];
  return isPlainMap(described) ? described : null;
}
