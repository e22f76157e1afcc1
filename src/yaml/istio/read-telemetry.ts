// From all Telemetries to what holds for this process: that of the mesh, of the namespace and of the workload, the later
// ones laid over the earlier. Source: Istio, telemetry.go (applicableTelemetries, Tracing, mergeMetrics, mergeLogs).
import type {
  AccessLogPolicy,
  MetricOverride,
  MetricTag,
  SideTelemetry,
  SpanTag,
  TelemetrySide,
  TracingPolicy,
} from '../../model/telemetry.ts';
import { TRACING_DEFAULTS } from '../../model/telemetry.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { MeshDraft } from '../draft.ts';
import { describeResource, positionIn, type Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { byCreation } from './by-creation.ts';
import { hasLabels } from './host-name.ts';
import { ROOT_NAMESPACE } from './istio-defaults.ts';
import type { CustomTagSpec, ModeSpec, TelemetrySpec } from './telemetry-spec.ts';

export const TELEMETRY_GROUP = 'telemetry.istio.io';

export function readTelemetry(world: World, context: ReadContext): MeshDraft[] {
  const resources = applicable(world, context);
  const last = resources.at(-1);
  if (last === undefined) return [];
  for (const resource of resources) {
    warnOfIdle(resource);
    warnOfUnobeyed(resource);
  }
  const specs = resources.map(({ spec }) => spec as TelemetrySpec);
  const telemetry = {
    client: sideOf('client', specs),
    server: sideOf('server', specs),
    sources: resources.map((resource) => positionIn(resource, ['metadata', 'name'])),
  };
  return [{ resource: last, path: ['spec'], dialect: 'istio', fields: { telemetry } }];
}

/** The most general first. What names no workload holds for its namespace, and in the root namespace for all. */
function applicable(world: World, context: ReadContext): Resource[] {
  const { self } = context;
  const all = [...world.of(TELEMETRY_GROUP, 'Telemetry')].sort(byCreation);
  const specOf = ({ spec }: Resource): TelemetrySpec => spec as TelemetrySpec;
  const labelsOf = (one: Resource): Readonly<Record<string, string>> => specOf(one).selector?.matchLabels ?? {};
  const isReferring = (one: Resource): boolean => specOf(one).targetRef !== undefined || (specOf(one).targetRefs ?? []).length > 0;
  const isWide = (one: Resource): boolean => Object.keys(labelsOf(one)).length === 0 && !isReferring(one);
  const inNamespace = (namespace: string): Resource[] => all.filter((one) => one.namespace === namespace);
  const own = inNamespace(self.namespace);
  const mine = own.filter((one) => !isWide(one) && !isReferring(one) && hasLabels(self.labels, labelsOf(one)));
  const wide = self.namespace === ROOT_NAMESPACE ? [] : own.filter(isWide);
  return [
    ...firstOf(inNamespace(ROOT_NAMESPACE).filter(isWide), 'IST0160', context),
    ...firstOf(wide, 'IST0160', context),
    ...firstOf(mine, 'IST0159', context),
  ];
}

function firstOf([first, ...others]: readonly Resource[], code: string, context: ReadContext): Resource[] {
  if (first === undefined) return [];
  for (const other of others) {
    settle(
      context,
      { resource: other, path: ['metadata', 'name'] },
      `${describeResource(first)} holds for the same workloads; keep one`,
      code,
    );
  }
  return [first];
}

/** What is kept for the way back, and changes nothing here, with whoever decides it. */
const UNOBEYED: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.freeze({
  tracing: {
    randomSamplingPercentage: 'the sampler of OpenTelemetry draws; set OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG',
    disableSpanReporting: "set createMesh({ telemetry: { spans: 'off' } })",
    disableContextPropagation: 'the propagator of OpenTelemetry decides; set OTEL_PROPAGATORS',
    useRequestIdForTraceSampling: 'the sampler of OpenTelemetry looks at the trace id',
    customTags: 'a span processor of OpenTelemetry can add attributes',
    enableIstioTags: 'spans have the attributes of OpenTelemetry',
  },
  metrics: { overrides: 'metrics are those of OpenTelemetry; its views drop and change them' },
  accessLogging: { disabled: 'no access log is written here', filter: 'no access log is written here' },
});

function warnOfUnobeyed(resource: Resource): void {
  const spec = resource.spec as TelemetrySpec;
  for (const [key, fields] of Object.entries(UNOBEYED)) {
    const entries = (spec[key as 'tracing'] ?? []) as readonly Readonly<Record<string, unknown>>[];
    for (const [i, entry] of entries.entries()) {
      for (const [field, instead] of Object.entries(fields)) {
        if (entry[field] === undefined) continue;
        resource.report.warn(['spec', key, i, field], `${field} is kept and not obeyed: ${instead}`, { part: 'key', code: 'INM0020' });
      }
    }
  }
}

/** Where the data goes is said to OpenTelemetry. */
function warnOfIdle(resource: Resource): void {
  const { tracing = [], metrics = [], accessLogging = [] } = resource.spec as TelemetrySpec;
  for (const [key, entries] of Object.entries({ tracing, metrics, accessLogging })) {
    for (const [i, { providers = [] }] of (entries as readonly { providers?: readonly unknown[] }[]).entries()) {
      if (providers.length === 0) continue;
      const message = "providers are passed over: where spans and metrics go is said by OpenTelemetry's own settings";
      resource.report.warn(['spec', key, i, 'providers'], message, { part: 'key', code: 'INM0020' });
    }
  }
}

function isFor(side: TelemetrySide, mode: ModeSpec | undefined): boolean {
  return mode === undefined || mode === 'CLIENT_AND_SERVER' || mode === side.toUpperCase();
}

function sideOf(side: TelemetrySide, specs: readonly TelemetrySpec[]): SideTelemetry {
  return { tracing: tracingOf(side, specs), metrics: metricsOf(side, specs), accessLog: accessLogOf(side, specs) };
}

/** Field by field; tags as a whole. */
function tracingOf(side: TelemetrySide, specs: readonly TelemetrySpec[]): TracingPolicy {
  let policy = TRACING_DEFAULTS;
  for (const one of specs.flatMap(({ tracing = [] }) => tracing)) {
    if (!isFor(side, one.match?.mode)) continue;
    const { randomSamplingPercentage, customTags, disableSpanReporting, disableContextPropagation, useRequestIdForTraceSampling } = one;
    policy = {
      ...policy,
      ...(randomSamplingPercentage === undefined ? {} : { samplingPercent: randomSamplingPercentage }),
      ...(customTags === undefined ? {} : { tags: mapped(customTags, tagOf) }),
      ...(disableSpanReporting === undefined ? {} : { report: !disableSpanReporting }),
      ...(disableContextPropagation === undefined ? {} : { propagate: !disableContextPropagation }),
      ...(useRequestIdForTraceSampling === undefined ? {} : { byRequestId: useRequestIdForTraceSampling }),
    };
  }
  return policy;
}

function tagOf({ literal, environment, header, formatter }: CustomTagSpec): SpanTag {
  if (environment !== undefined) return { kind: 'environment', ...environment };
  if (header !== undefined) return { kind: 'header', ...header, name: header.name.toLowerCase() };
  if (formatter !== undefined) return { kind: 'formatter', value: formatter.value };
  return { kind: 'literal', value: literal?.value ?? '' };
}

/** In the order of their rank: later ones are laid over earlier ones. */
function metricsOf(side: TelemetrySide, specs: readonly TelemetrySpec[]): MetricOverride[] {
  const merged = new Map<string, MetricOverride>();
  for (const { match, disabled, tagOverrides = {} } of specs.flatMap(({ metrics = [] }) =>
    metrics.flatMap(({ overrides = [] }) => overrides),
  )) {
    if (!isFor(side, match?.mode)) continue;
    const metric = match?.customMetric ?? match?.metric ?? 'ALL_METRICS';
    const before = merged.get(metric);
    const tags = mapped(tagOverrides, ({ operation, value = '' }): MetricTag => (operation === 'REMOVE' ? { remove: true } : { value }));
    merged.set(metric, { metric, disabled: disabled ?? before?.disabled ?? false, tags: { ...before?.tags, ...tags } });
  }
  return [...merged.values()];
}

function accessLogOf(side: TelemetrySide, specs: readonly TelemetrySpec[]): AccessLogPolicy | null {
  let policy: AccessLogPolicy | null = null;
  for (const { match, disabled = false, filter } of specs.flatMap(({ accessLogging = [] }) => accessLogging)) {
    if (!isFor(side, match?.mode)) continue;
    const expression = filter?.expression ?? '';
    policy = { disabled, ...(expression === '' ? {} : { filter: expression }) };
  }
  return policy;
}

/** No prototype: names are the user's. */
function mapped<I, O>(input: Readonly<Record<string, I>>, convert: (value: I) => O): Record<string, O> {
  const output = Object.create(null) as Record<string, O>;
  for (const [key, value] of Object.entries(input)) output[key] = convert(value);
  return output;
}
