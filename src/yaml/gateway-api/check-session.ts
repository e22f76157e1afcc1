// How the fields of sessionPersistence hang together. Source: validation rules of SessionPersistence, GEP-1619.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkSpan } from './check-text.ts';
import type { SessionPersistenceSpec } from './route-spec.ts';

export function checkSession(session: SessionPersistenceSpec, path: ConfigPath, report: Report): void {
  const { type = 'Cookie', cookie, cookieConfig, header, sessionName, absoluteTimeout } = session;
  checkSpan(absoluteTimeout, [...path, 'absoluteTimeout'], report);
  checkSpan(session.idleTimeout, [...path, 'idleTimeout'], report);
  if (type === 'Header' && cookie !== undefined) report.error([...path, 'cookie'], 'cookie does not go with type Header', { part: 'key' });
  if (type === 'Cookie' && header !== undefined) report.error([...path, 'header'], 'header does not go with type Cookie', { part: 'key' });
  if (type === 'Header' && header === undefined && sessionName === undefined)
    report.error(path, 'a session of type Header needs header.name');
  const lifetime = cookie?.lifetimeType ?? cookieConfig?.lifetimeType;
  if (lifetime === 'Permanent' && absoluteTimeout === undefined)
    report.error(path, 'a cookie with lifetimeType Permanent needs absoluteTimeout');
}
