// What servers of this process accept: which connections, and how much at once.
import { type IdentityConfig, SELF_DEFAULTS, type SelfConfig } from './config.ts';
import type { AdmissionPolicy, InboundConfig } from './inbound.ts';
import { ADMISSION_DEFAULTS } from './inbound.ts';
import type { AdmissionInput, InboundInput, ServerLimitsInput } from './input.ts';
import type { Report } from './report.ts';
import { resolveAccess, resolveProviders } from './resolve-access.ts';
import { mergeOptional } from './resolve-levels.ts';
import { resolveRange, toMs } from './resolve-scalar.ts';
import { SERVER_LIMITS_DEFAULTS, type ServerLimits } from './server-limits.ts';

/** `identity` undefined: written, but with faults. */
export function resolveInbound(
  input: InboundInput,
  identity: IdentityConfig | null | undefined,
  report: Report,
  self: Pick<SelfConfig, 'namespace'> = SELF_DEFAULTS,
): InboundConfig {
  const policies = resolveAccess(input, self, report);
  if (input.mtls === 'strict' && identity === null) {
    report.error(['inbound', 'mtls'], 'inbound: strict needs a certificate of this process; add identity at the top');
  }
  return {
    mtls: input.mtls ?? (identity === null ? 'disable' : 'permissive'),
    admission: resolveAdmission(input.admission ?? true, report),
    ...(input.limits === undefined ? {} : { limits: resolveServerLimits(input.limits) }),
    ...(input.minTls === undefined ? {} : { minTls: input.minTls }),
    ...(input.trustedProxies === undefined ? {} : { trustedProxies: input.trustedProxies }),
    ...(input.forwardClientCert === undefined ? {} : { forwardClientCert: input.forwardClientCert }),
    ...(policies.length === 0 ? {} : { policies }),
    ...(input.extensionProviders === undefined ? {} : { extensionProviders: resolveProviders(input.extensionProviders, report) }),
  };
}

function resolveServerLimits(input: ServerLimitsInput): ServerLimits {
  const d = SERVER_LIMITS_DEFAULTS;
  return {
    maxConnections: input.maxConnections ?? d.maxConnections,
    maxConnectionsPerAddress: input.maxConnectionsPerAddress ?? d.maxConnectionsPerAddress,
    maxRequests: input.maxRequests ?? d.maxRequests,
    firstByteMs: toMs(input.firstByteTimeout, d.firstByteMs),
    handshakeMs: toMs(input.handshakeTimeout, d.handshakeMs),
    headersMs: toMs(input.headersTimeout, d.headersMs),
    requestMs: toMs(input.requestTimeout, d.requestMs),
    idleMs: toMs(input.idleTimeout, d.idleMs),
    headerBytesMax: input.maxHeaderBytes ?? d.headerBytesMax,
    connectionAgeMs: toMs(input.maxConnectionAge, d.connectionAgeMs),
    maxStreams: input.maxStreams ?? d.maxStreams,
    streamResetBurst: input.streamResetBurst ?? d.streamResetBurst,
    streamResetRate: input.streamResetRate ?? d.streamResetRate,
    controlFrameBurst: input.controlFrameBurst ?? d.controlFrameBurst,
    controlFrameRate: input.controlFrameRate ?? d.controlFrameRate,
  };
}

function resolveAdmission(value: boolean | AdmissionInput, report: Report): AdmissionPolicy | null {
  const merged = mergeOptional<AdmissionInput>([{ value, path: ['inbound', 'admission'] }]);
  if (merged === null) return null;
  const input = merged.value;
  const d = ADMISSION_DEFAULTS;
  const latencyFactor = input.latencyFactor ?? d.latencyFactor;
  if (latencyFactor > 0 && latencyFactor <= 1) {
    report.error(merged.pathOf('latencyFactor'), 'admission: latencyFactor must be above 1, or 0 to switch the detector off');
  }
  const range = resolveRange(
    'admission',
    merged,
    { min: 'minLimit', initial: 'initialLimit', max: 'maxLimit' },
    { min: d.limitMin, initial: d.limitInitial, max: d.limitMax },
    report,
  );
  return {
    limitMin: range.min,
    limitMax: range.max,
    limitInitial: range.initial,
    decrease: input.decrease ?? d.decrease,
    eventLoopDelayMs: toMs(input.eventLoopDelay, d.eventLoopDelayMs),
    latencyFactor,
    sheddableShare: input.sheddableShare ?? d.sheddableShare,
    retryAfterMs: toMs(input.retryAfter, d.retryAfterMs),
  };
}
