// The check by a GET: a status in the list passes. Redirects are answers like others. The body is drained, within reason.
import type { HealthCheckPolicy } from '../model/balancing.ts';
import { connected, openSocket, PASSED, type ProbeAttempt, type ProbeResult, type ProbeTarget } from './probe-socket.ts';
import { type buildConnector, type Dispatcher, Pool } from './undici.ts';

/** Bytes of a body that are read before the connection is cut instead. */
const BODY_BYTES_MAX = 64 * 1_024;

type PoolOptions = Pool.Options & { useH2c?: boolean };

export function httpProbe(target: ProbeTarget, { path, statuses }: HealthCheckPolicy): ProbeAttempt {
  const { host, port, name, tls, protocol } = target;
  const isH2 = protocol === 'http2';
  const connect: buildConnector.connector = (_options, callback) => {
    const socket = openSocket(target, [isH2 ? 'h2' : 'http/1.1']);
    // undici asks the socket which protocol was agreed upon; without TLS the policy says it.
    if (isH2 && tls === null) Object.assign(socket, { alpnProtocol: 'h2' });
    connected(socket, target).then(
      () => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
  const options: PoolOptions = { connections: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: isH2, useH2c: isH2 && tls === null, connect };
  const pool = new Pool(`${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`, options);
  const request = async (): Promise<ProbeResult> => {
    const { statusCode, body }: Dispatcher.ResponseData = await pool.request({ method: 'GET', path, headers: { host: name } });
    await body.dump({ limit: BODY_BYTES_MAX });
    return statuses.some(([from, to]) => statusCode >= from && statusCode <= to) ? PASSED : { ok: false, reason: `HTTP ${statusCode}` };
  };
  return {
    result: request(),
    // What its requests come to then has nobody to be told.
    close: () => void pool.destroy().catch(() => {}),
  };
}
