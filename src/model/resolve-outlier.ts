// Who is left out: our rule, or the one of another mesh with its own numbers. Says when Envoy's rule cannot do anything
// for as few endpoints as there are, which no mesh says.
import type { EnvoyOutlierPolicy, LinkerdOutlierPolicy } from './balancing.ts';
import { ENVOY_OUTLIER_DEFAULTS, LINKERD_OUTLIER_DEFAULTS } from './balancing.ts';
import type { OutlierPolicy } from './destination.ts';
import { OUTLIER_DEFAULTS } from './destination.ts';
import type { EnvoyOutlierInput, InmeshOutlierInput, LinkerdOutlierInput, OutlierDetectionInput } from './input-balancing.ts';
import type { Report } from './report.ts';
import type { Level, Merged } from './resolve-levels.ts';
import { levelsOf, mergeLevels, mergeOptional } from './resolve-levels.ts';
import type { Modes } from './resolve-mode.ts';
import { chooseMode } from './resolve-mode.ts';
import { checkOrder, toMs, toStatusRanges } from './resolve-scalar.ts';

type Mode = NonNullable<OutlierDetectionInput['mode']>;
type Levels<T> = readonly Level<T | false>[];

const POLICY = 'outlierDetection';

const MODES: Modes<Mode> = {
  policy: POLICY,
  fallback: 'inmesh',
  keys: {
    inmesh: [
      'consecutiveErrors',
      'consecutive5xxErrors',
      'consecutiveGatewayErrors',
      'window',
      'minCalls',
      'margin',
      'baseEjectionTime',
      'maxEjectionTime',
      'maxEjectionPercent',
      'jitter',
    ],
    envoy: [
      'consecutive5xxErrors',
      'consecutiveGatewayErrors',
      'splitExternalLocalOriginErrors',
      'consecutiveLocalOriginFailures',
      'outlierDetectionHttpErrorCodes',
      'interval',
      'baseEjectionTime',
      'maxEjectionTime',
      'maxEjectionTimeJitter',
      'maxEjectionPercent',
      'alwaysEjectOneHost',
      'capCheck',
      'successRate',
      'failurePercentage',
    ],
    linkerd: ['maxFailures', 'minPenalty', 'maxPenalty', 'jitter', 'unified'],
  },
};

/** `endpoints`: how many there are, null when that is not known beforehand. */
export function resolveOutlier(
  levels: Levels<OutlierDetectionInput>,
  endpoints: number | null,
  report: Report,
): OutlierPolicy | EnvoyOutlierPolicy | LinkerdOutlierPolicy | null {
  const { mode, levels: own } = chooseMode<Mode, OutlierDetectionInput>(levels, MODES, report);
  if (mode === 'envoy') return envoy(own as Levels<EnvoyOutlierInput>, endpoints, report);
  if (mode === 'linkerd') return linkerd(own as Levels<LinkerdOutlierInput>, report);
  return inmesh(own as Levels<InmeshOutlierInput>, report);
}

function inmesh(levels: Levels<InmeshOutlierInput>, report: Report): OutlierPolicy | null {
  const merged = mergeLevels(levels.map((level) => oneName(level, report)));
  if (merged === null) return null;
  const input = merged.value;
  const d = OUTLIER_DEFAULTS;
  const times = ejectionTimes(merged, d, report);
  return {
    kind: 'inmesh',
    consecutiveErrors: input.consecutiveErrors ?? d.consecutiveErrors,
    windowMs: toMs(input.window, d.windowMs),
    callsMin: input.minCalls ?? d.callsMin,
    margin: input.margin ?? d.margin,
    z: d.z,
    ...times,
    jitter: input.jitter ?? d.jitter,
    maxEjectionPercent: input.maxEjectionPercent ?? d.maxEjectionPercent,
  };
}

const ERROR_NAMES = ['consecutiveErrors', 'consecutive5xxErrors', 'consecutiveGatewayErrors'] as const;

/** Istio's names become ours; two at once contradict each other. */
function oneName(level: Level<InmeshOutlierInput | false>, report: Report): Level<InmeshOutlierInput | false> {
  const { value, path } = level;
  if (value === undefined || value === false) return level;
  const given = ERROR_NAMES.filter((name) => value[name] !== undefined);
  const [first, second] = given;
  if (first === undefined) return level;
  if (second !== undefined) {
    report.error([...path, second], `${second} and ${first} mean the same here; keep one, or set mode: envoy, where they do not`, {
      part: 'key',
    });
  }
  const { consecutiveErrors: _a, consecutive5xxErrors: _b, consecutiveGatewayErrors: _c, ...rest } = value;
  return { value: { ...rest, consecutiveErrors: value[first] as number }, path };
}

interface Times {
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
}

/** The longest ejection is never below the first unless somebody says so. */
function ejectionTimes(merged: Merged<InmeshOutlierInput> | Merged<EnvoyOutlierInput>, defaults: Times, report: Report): Times {
  const baseEjectionMs = toMs(merged.value.baseEjectionTime, defaults.baseEjectionMs);
  const maxEjectionMs = toMs(merged.value.maxEjectionTime, Math.max(defaults.maxEjectionMs, baseEjectionMs));
  if (maxEjectionMs < baseEjectionMs) {
    report.error(
      merged.pathOf('maxEjectionTime'),
      'outlierDetection: maxEjectionTime is below baseEjectionTime; raise the one or lower the other',
    );
  }
  return { baseEjectionMs, maxEjectionMs };
}

function envoy(levels: Levels<EnvoyOutlierInput>, endpoints: number | null, report: Report): EnvoyOutlierPolicy | null {
  const merged = mergeLevels(levels);
  if (merged === null) return null;
  const input = merged.value;
  const d = ENVOY_OUTLIER_DEFAULTS;
  const rate = mergeOptional(levelsOf(levels, 'successRate'))?.value;
  const percentage = mergeOptional(levelsOf(levels, 'failurePercentage'))?.value;
  const policy: EnvoyOutlierPolicy = {
    kind: 'envoy',
    consecutive5xx: input.consecutive5xxErrors ?? d.consecutive5xx,
    consecutiveGatewayErrors: input.consecutiveGatewayErrors ?? d.consecutiveGatewayErrors,
    consecutiveLocalOriginErrors: input.consecutiveLocalOriginFailures ?? d.consecutiveLocalOriginErrors,
    splitLocalOrigin: input.splitExternalLocalOriginErrors ?? d.splitLocalOrigin,
    errorStatuses: toStatusRanges(input.outlierDetectionHttpErrorCodes, d.errorStatuses),
    intervalMs: toMs(input.interval, d.intervalMs),
    ...ejectionTimes(merged, d, report),
    jitterMs: toMs(input.maxEjectionTimeJitter, d.jitterMs),
    maxEjectionPercent: input.maxEjectionPercent ?? d.maxEjectionPercent,
    alwaysEjectOne: input.alwaysEjectOneHost ?? d.alwaysEjectOne,
    capCheck: input.capCheck ?? d.capCheck,
    successRate:
      rate === undefined
        ? null
        : { hostsMin: rate.minimumHosts ?? 5, callsMin: rate.requestVolume ?? 100, factor: (rate.stdevFactor ?? 1_900) / 1_000 },
    failurePercentage:
      percentage === undefined
        ? null
        : { threshold: percentage.threshold ?? 85, hostsMin: percentage.minimumHosts ?? 5, callsMin: percentage.requestVolume ?? 50 },
  };
  warnOfIdleRules(policy, merged, endpoints, report);
  return policy;
}

/** What Envoy takes without a word and never does. */
function warnOfIdleRules(policy: EnvoyOutlierPolicy, merged: Merged<EnvoyOutlierInput>, endpoints: number | null, report: Report): void {
  const { consecutive5xx, consecutiveGatewayErrors, maxEjectionPercent } = policy;
  const isCapped = policy.capCheck === 'after' && !policy.alwaysEjectOne;
  // Nobody expects the only endpoint to be left out.
  if (isCapped && endpoints !== null && endpoints > 1 && 100 / endpoints > maxEjectionPercent) {
    report.warn(
      merged.pathOf(merged.levelOf('maxEjectionPercent') < 0 ? 'mode' : 'maxEjectionPercent'),
      `outlierDetection: one of ${endpoints} endpoints is more than maxEjectionPercent (${maxEjectionPercent}), so with mode: envoy none is ever ejected; raise it to ${Math.ceil(100 / endpoints)} or more, or set alwaysEjectOneHost: true`,
    );
  }
  if (consecutive5xx > 0 && consecutiveGatewayErrors >= consecutive5xx) {
    report.warn(
      merged.pathOf('consecutiveGatewayErrors'),
      'outlierDetection: consecutiveGatewayErrors never takes effect, because these errors are 5xx too and consecutive5xxErrors comes first; lower it, or set consecutive5xxErrors: 0',
    );
  }
  if (!policy.splitLocalOrigin && merged.levelOf('consecutiveLocalOriginFailures') >= 0) {
    report.warn(
      merged.pathOf('consecutiveLocalOriginFailures'),
      'outlierDetection: consecutiveLocalOriginFailures takes effect only with splitExternalLocalOriginErrors: true; add it, or remove this',
    );
  }
}

function linkerd(levels: Levels<LinkerdOutlierInput>, report: Report): LinkerdOutlierPolicy | null {
  const merged = mergeLevels(levels);
  if (merged === null) return null;
  const input = merged.value;
  const d = LINKERD_OUTLIER_DEFAULTS;
  const unified = mergeOptional(levelsOf(levels, 'unified'))?.value;
  const penaltyMaxMs = toMs(input.maxPenalty, Math.max(d.penaltyMaxMs, toMs(input.minPenalty, 0)));
  const penaltyMinMs = toMs(input.minPenalty, Math.min(d.penaltyMinMs, penaltyMaxMs));
  checkOrder(POLICY, merged, ['minPenalty', penaltyMinMs], ['maxPenalty', penaltyMaxMs], report);
  return {
    kind: 'linkerd',
    failuresMax: input.maxFailures ?? d.failuresMax,
    penaltyMinMs,
    penaltyMaxMs,
    jitter: input.jitter ?? d.jitter,
    successRate:
      unified === undefined
        ? null
        : { threshold: unified.successRate ?? 0.8, windowMs: toMs(unified.window, 10_000), callsMin: unified.minCalls ?? 5 },
  };
}
