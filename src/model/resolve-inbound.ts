// What servers of this process accept: which connections, and how much at once.
import type { IdentityConfig } from './config.ts';
import type { AdmissionPolicy, InboundConfig } from './inbound.ts';
import { ADMISSION_DEFAULTS } from './inbound.ts';
import type { AdmissionInput, InboundInput } from './input.ts';
import type { Report } from './report.ts';
import { mergeOptional } from './resolve-levels.ts';
import { resolveRange, toMs } from './resolve-scalar.ts';

/** `identity` undefined: written, but with faults. */
export function resolveInbound(input: InboundInput, identity: IdentityConfig | null | undefined, report: Report): InboundConfig {
  if (input.mtls === 'strict' && identity === null) {
    report.error(['inbound', 'mtls'], 'inbound: strict needs a certificate of this process; add identity at the top');
  }
  return {
    mtls: input.mtls ?? (identity === null ? 'disable' : 'permissive'),
    admission: resolveAdmission(input.admission ?? true, report),
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
