// Health checks over real sockets: one connection for each, with a time limit over all of it, closed whatever happens.
import type { Endpoint } from '../core/call.ts';
import { type Clock, runAt } from '../core/clock.ts';
import type { HealthCheckPolicy } from '../model/balancing.ts';
import { grpcProbe } from './probe-grpc.ts';
import { httpProbe } from './probe-http.ts';
import type { ProbeAttempt, ProbeResult, ProbeTarget } from './probe-socket.ts';
import { tcpProbe } from './probe-tcp.ts';
import type { ServiceTransport } from './pool.ts';

/** What a probe needs of the transport of its service. */
export type ProbeTransport = Pick<ServiceTransport, 'tls' | 'policy' | 'clock'>;

/** `transport` is asked at each check: a reload may have changed the TLS settings. */
export function endpointProbe(transport: () => ProbeTransport): (endpoint: Endpoint, policy: HealthCheckPolicy) => Promise<ProbeResult> {
  return (endpoint, policy) => {
    const { clock } = transport();
    let attempt: ProbeAttempt;
    try {
      attempt = start(targetOf(endpoint, policy, transport()), policy);
    } catch (error) {
      return Promise.resolve(failed(error));
    }
    return within(clock, policy.timeoutMs, attempt);
  };
}

function start(target: ProbeTarget, policy: HealthCheckPolicy): ProbeAttempt {
  switch (policy.kind) {
    case 'http':
      return httpProbe(target, policy);
    case 'tcp':
      return tcpProbe(target);
    case 'grpc':
      return grpcProbe(target, policy);
  }
}

function targetOf(endpoint: Endpoint, { port }: HealthCheckPolicy, transport: ProbeTransport): ProbeTarget {
  const { service, protocol, tls } = transport.policy;
  const secure = tls.mode === 'disable' ? null : transport.tls;
  return { host: endpoint.host, port: port === 0 ? endpoint.port : port, name: secure?.serverName || service, tls: secure, protocol };
}

async function within(clock: Clock, timeoutMs: number, attempt: ProbeAttempt): Promise<ProbeResult> {
  const late = Promise.withResolvers<ProbeResult>();
  const timer = runAt(clock, clock.now() + timeoutMs, () => late.resolve({ ok: false, reason: `no answer within ${timeoutMs} ms` }));
  try {
    return await Promise.race([attempt.result, late.promise]);
  } catch (error) {
    return failed(error);
  } finally {
    clock.disarm(timer);
    attempt.close();
  }
}

function failed(error: unknown): ProbeResult {
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof code !== 'string' || message.includes(code)) return { ok: false, reason: message };
  // Several addresses of one name, all refused: an error with a code and no words.
  return { ok: false, reason: message === '' ? code : `${message} (${code})` };
}
