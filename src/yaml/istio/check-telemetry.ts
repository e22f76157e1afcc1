// How the fields of a Telemetry hang together, as Istio's own validator and CRD see it. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateTelemetry; istio/api CRD.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { Resource } from '../resource.ts';
import { checkDuration } from './check-duration.ts';
import type { CustomTagSpec, MetricsOverrideSpec, TelemetrySpec } from './telemetry-spec.ts';

export function checkTelemetry(resource: Resource): void {
  const spec = resource.spec as TelemetrySpec;
  const { report } = resource;
  const { selector, targetRef, targetRefs, tracing = [], metrics = [] } = spec;
  const chosen = Object.entries({ selector, targetRef, targetRefs }).filter(([, value]) => value !== undefined);
  const [first, second] = chosen.map(([key]) => key);
  if (second !== undefined) report.error(['spec', second], `this Telemetry has both ${first} and ${second}; keep one`, { part: 'key' });
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (`${key}${value}`.includes('*')) report.error(['spec', 'selector', 'matchLabels', key], 'a selector has no wildcard');
  }
  const places: readonly ConfigPath[] = [['spec', 'targetRef'], ...(targetRefs ?? []).map((_, i) => ['spec', 'targetRefs', i])];
  for (const [i, one] of [targetRef, ...(targetRefs ?? [])].entries()) {
    if ((one?.namespace ?? '') !== '') report.error([...(places[i] ?? []), 'namespace'], 'a reference to another namespace is not taken');
  }
  if (tracing.length > 1) report.warn(['spec', 'tracing', 1], 'Istio obeys one entry of tracing only');
  for (const [i, { providers = [], customTags = {} }] of tracing.entries()) {
    const path: ConfigPath = ['spec', 'tracing', i];
    if (providers.length > 1) report.warn([...path, 'providers', 1], 'Istio obeys one provider of tracing only');
    for (const [name, tag] of Object.entries(customTags)) checkTag(tag, [...path, 'customTags', name], report);
  }
  for (const [i, { overrides = [], reportingInterval }] of metrics.entries()) {
    const path: ConfigPath = ['spec', 'metrics', i];
    checkDuration(reportingInterval, [...path, 'reportingInterval'], report);
    for (const [j, override] of overrides.entries()) checkOverride(override, [...path, 'overrides', j], report);
  }
}

const TAGS = ['literal', 'environment', 'header', 'formatter'] as const;

function checkTag(tag: CustomTagSpec, path: ConfigPath, report: Report): void {
  const [first, second] = TAGS.filter((kind) => tag[kind] !== undefined);
  if (second !== undefined) report.error([...path, second], `this tag has both ${first} and ${second}; keep one`, { part: 'key' });
}

function checkOverride({ match, tagOverrides = {} }: MetricsOverrideSpec, path: ConfigPath, report: Report): void {
  if (match?.metric !== undefined && match.customMetric !== undefined) {
    report.error([...path, 'match', 'customMetric'], 'this match has both metric and customMetric; keep one', { part: 'key' });
  }
  for (const [name, { operation, value = '' }] of Object.entries(tagOverrides)) {
    const at = [...path, 'tagOverrides', name];
    if (operation !== 'REMOVE' && value === '') report.error(at, 'operation UPSERT needs a value');
    if (operation === 'REMOVE' && value !== '') report.error([...at, 'value'], 'operation REMOVE takes no value', { part: 'key' });
  }
}
