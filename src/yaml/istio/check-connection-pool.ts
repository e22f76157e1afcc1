// Sizes and times of a connection pool, as Istio's own validator sees them. Source: istio/istio pkg/config/validation,
// validateConnectionPool.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkDuration } from './check-duration.ts';
import type { ConnectionPoolSpec } from './destination-rule-spec.ts';

export function checkConnectionPool({ http, tcp }: ConnectionPoolSpec, path: ConfigPath, report: Report): void {
  if (http === undefined && tcp === undefined) report.error(path, 'a connection pool needs tcp or http');
  if (http !== undefined) {
    const at = [...path, 'http'];
    checkDuration(http.idleTimeout, [...at, 'idleTimeout'], report);
    if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
      report.error([...at, 'useClientProtocol'], 'useClientProtocol and h2UpgradePolicy: UPGRADE exclude each other; keep one', {
        part: 'key',
      });
    }
    if (http.http2KeepAlive !== undefined) {
      for (const key of ['interval', 'timeout'] as const) {
        const value = http.http2KeepAlive[key];
        if (value === undefined) report.error([...at, 'http2KeepAlive'], `http2KeepAlive needs ${key}`);
        checkDuration(value, [...at, 'http2KeepAlive', key], report);
      }
    }
  }
  if (tcp === undefined) return;
  const at = [...path, 'tcp'];
  for (const key of ['connectTimeout', 'maxConnectionDuration', 'idleTimeout'] as const) checkDuration(tcp[key], [...at, key], report);
  for (const key of ['time', 'interval'] as const) checkDuration(tcp.tcpKeepalive?.[key], [...at, 'tcpKeepalive', key], report);
}
