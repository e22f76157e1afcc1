// What a ServiceProfile says, as it is written. Source: linkerd2 controller/gen/apis/serviceprofile/v1alpha2.

export interface RequestMatchSpec {
  readonly all?: readonly RequestMatchSpec[];
  readonly any?: readonly RequestMatchSpec[];
  readonly not?: RequestMatchSpec;
  readonly method?: string;
  readonly pathRegex?: string;
}

export interface ResponseMatchSpec {
  readonly all?: readonly ResponseMatchSpec[];
  readonly any?: readonly ResponseMatchSpec[];
  readonly not?: ResponseMatchSpec;
  readonly status?: { readonly min?: number; readonly max?: number };
}

export interface ResponseClassSpec {
  readonly condition: ResponseMatchSpec;
  readonly isFailure?: boolean;
}

export interface ProfileRouteSpec {
  readonly name: string;
  readonly condition: RequestMatchSpec;
  readonly responseClasses?: readonly ResponseClassSpec[];
  readonly isRetryable?: boolean;
  readonly timeout?: string;
}

export interface RetryBudgetSpec {
  readonly retryRatio: number;
  readonly minRetriesPerSecond: number;
  readonly ttl: string;
}

export interface WeightedDstSpec {
  readonly authority: string;
  readonly weight: number | string;
}

export interface ServiceProfileSpec {
  readonly routes?: readonly ProfileRouteSpec[];
  readonly retryBudget?: RetryBudgetSpec;
  readonly dstOverrides?: readonly WeightedDstSpec[];
  readonly opaquePorts?: readonly string[];
}
