// sessionPersistence by hashing: the cookie or header of a session always leads to the same target and the same endpoint,
// as long as both are there. The Gateway API binds a session to an endpoint by a token of the gateway; nobody here keeps
// such a table, so a change of endpoints moves some sessions. Source: GEP-1619.
import type { HashKey } from '../../model/balancing.ts';
import { HASH_DEFAULTS } from '../../model/balancing.ts';
import { BALANCER_DEFAULTS, type BalancerPolicy } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { StickyPolicy } from '../../model/route.ts';
import type { Resource } from '../resource.ts';
import { parseGatewayDuration } from './gateway-duration.ts';
import type { SessionPersistenceSpec } from './route-spec.ts';

export interface Session {
  readonly key: HashKey;
  readonly sticky: StickyPolicy;
}

/** `owner` names the cookie when the document does not. */
export function readSession(session: SessionPersistenceSpec, owner: string, path: ConfigPath, { report }: Resource): Session {
  const { type = 'Cookie', sessionName, header, cookie, cookieConfig, absoluteTimeout, idleTimeout } = session;
  const isPermanent = (cookie?.lifetimeType ?? cookieConfig?.lifetimeType) === 'Permanent';
  const told = ['sessions are kept by hashing: a session moves when endpoints come or go'];
  if (absoluteTimeout !== undefined && !isPermanent) told.push('absoluteTimeout ends none');
  if (idleTimeout !== undefined) told.push('idleTimeout ends none');
  if (type === 'Header') {
    const name = (header?.name ?? sessionName ?? '').toLowerCase();
    report.warn(path, [...told, `the caller chooses the value of ${name}, the answer names none`].join('; '));
    return { key: { header: name }, sticky: { header: name } };
  }
  const name = cookie?.name ?? sessionName ?? `inmesh-${owner.replace(/[^A-Za-z0-9-]+/g, '-')}`;
  const ttlMs = isPermanent ? (parseGatewayDuration(absoluteTimeout ?? '') ?? 0) : 0;
  report.warn(path, told.join('; '));
  return { key: { cookie: name, path: cookie?.path ?? '/', ttlMs, attributes: {} }, sticky: { cookie: name } };
}

/** The first key that a call has decides. */
export function sessionBalancer(keys: readonly HashKey[]): BalancerPolicy {
  return { ...BALANCER_DEFAULTS, kind: 'ringHash', hash: { ...HASH_DEFAULTS, keys } };
}
