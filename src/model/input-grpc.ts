// A gRPC service config as other gRPC stacks read it, in the JSON form of service_config.proto. Part of the concise form: what
// it becomes are routes, a retry budget and a balancer of the service.
// Source: gRFC A2, A6; service_config.proto.

/** Which calls a `methodConfig` is about: a method, a whole service (without `method`), or all (`{}`). */
export interface GrpcMethodNameInput {
  /** `package.Service`. */
  readonly service?: string;
  readonly method?: string;
}

/** Durations are seconds, as protobuf writes them in JSON: `0.5s`. */
export interface GrpcRetryPolicyInput {
  /** The first included; 5 at most. */
  readonly maxAttempts: number;
  readonly initialBackoff: string;
  readonly maxBackoff: string;
  /** 2 is what there is; another is lost. */
  readonly backoffMultiplier?: number;
  /** Names or numbers. */
  readonly retryableStatusCodes: readonly (string | number)[];
  readonly perAttemptRecvTimeout?: string;
}

export interface GrpcHedgingPolicyInput {
  /** The first included; one hedge is sent, and the rest may be retries. */
  readonly maxAttempts: number;
  /** First guess of the delay, which is then learnt. */
  readonly hedgingDelay?: string;
  readonly nonFatalStatusCodes?: readonly (string | number)[];
}

export interface GrpcMethodConfigInput {
  readonly name: readonly GrpcMethodNameInput[];
  readonly timeout?: string;
  readonly retryPolicy?: GrpcRetryPolicyInput;
  readonly hedgingPolicy?: GrpcHedgingPolicyInput;
  /** Not read: the caller says it in the metadata. */
  readonly waitForReady?: boolean;
  /** Not read: an option of the channel. */
  readonly maxRequestMessageBytes?: number | string;
  /** Not read: an option of the channel. */
  readonly maxResponseMessageBytes?: number | string;
}

export interface GrpcServiceConfigInput {
  readonly methodConfig?: readonly GrpcMethodConfigInput[];
  readonly retryThrottling?: { readonly maxTokens?: number; readonly tokenRatio?: number };
  /** The first is read, if it is `round_robin`. */
  readonly loadBalancingConfig?: readonly Readonly<Record<string, unknown>>[];
  /** Not read: the older form. */
  readonly loadBalancingPolicy?: string;
  /** Not read: see `healthCheck`. */
  readonly healthCheckConfig?: { readonly serviceName?: string };
}
