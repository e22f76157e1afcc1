// What a Telemetry says, as it is written. Source: istio/api telemetry/v1alpha1/telemetry.proto.

export type ModeSpec = 'CLIENT' | 'SERVER' | 'CLIENT_AND_SERVER';

export interface ProviderSpec {
  readonly name: string;
}

export interface CustomTagSpec {
  readonly literal?: { readonly value: string };
  readonly environment?: { readonly name: string; readonly defaultValue?: string };
  readonly header?: { readonly name: string; readonly defaultValue?: string };
  readonly formatter?: { readonly value: string };
}

export interface TracingSpec {
  readonly match?: { readonly mode?: ModeSpec };
  readonly providers?: readonly ProviderSpec[];
  readonly randomSamplingPercentage?: number;
  readonly disableSpanReporting?: boolean;
  readonly disableContextPropagation?: boolean;
  readonly customTags?: Readonly<Record<string, CustomTagSpec>>;
  readonly useRequestIdForTraceSampling?: boolean;
  readonly enableIstioTags?: boolean;
}

export interface MetricsOverrideSpec {
  readonly match?: { readonly metric?: string; readonly customMetric?: string; readonly mode?: ModeSpec };
  readonly disabled?: boolean;
  readonly tagOverrides?: Readonly<Record<string, { readonly operation?: 'UPSERT' | 'REMOVE'; readonly value?: string }>>;
}

export interface MetricsSpec {
  readonly providers?: readonly ProviderSpec[];
  readonly overrides?: readonly MetricsOverrideSpec[];
  readonly reportingInterval?: string;
}

export interface AccessLoggingSpec {
  readonly match?: { readonly mode?: ModeSpec };
  readonly providers?: readonly ProviderSpec[];
  readonly disabled?: boolean;
  readonly filter?: { readonly expression?: string };
}

export interface TargetRefSpec {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface TelemetrySpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly targetRef?: TargetRefSpec;
  readonly targetRefs?: readonly TargetRefSpec[];
  readonly tracing?: readonly TracingSpec[];
  readonly metrics?: readonly MetricsSpec[];
  readonly accessLogging?: readonly AccessLoggingSpec[];
}
