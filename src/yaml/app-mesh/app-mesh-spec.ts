// What App Mesh's objects say, as it is written: by its controller's CRDs (references), or as the AWS CLI has it (names).
// Source: aws/aws-app-mesh-controller-for-k8s apis/appmesh/v1beta2; AWS App Mesh API Reference, 2019-01-25.

export interface DurationSpec {
  readonly unit: 's' | 'ms';
  readonly value: number;
}

export interface RefSpec {
  readonly name: string;
  readonly namespace?: string;
}

export interface WeightedTargetSpec {
  readonly virtualNodeRef?: RefSpec;
  readonly virtualNodeARN?: string;
  /** The CLI's. */
  readonly virtualNode?: string;
  readonly weight: number;
  readonly port?: number;
}

export interface ValueMatchSpec {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly regex?: string;
  readonly range?: { readonly start: number; readonly end: number };
}

/** A header, or metadata of gRPC. */
export interface HeaderSpec {
  readonly name: string;
  readonly match?: ValueMatchSpec;
  readonly invert?: boolean;
}

export interface HttpMatchSpec {
  readonly headers?: readonly HeaderSpec[];
  readonly method?: string;
  readonly prefix?: string;
  readonly path?: { readonly exact?: string; readonly regex?: string };
  readonly scheme?: string;
  readonly queryParameters?: readonly { readonly name: string; readonly match?: { readonly exact?: string } }[];
  readonly port?: number;
}

export interface GrpcMatchSpec {
  readonly serviceName?: string;
  readonly methodName?: string;
  readonly metadata?: readonly HeaderSpec[];
  readonly port?: number;
}

export interface RetryPolicySpec {
  readonly httpRetryEvents?: readonly string[];
  readonly tcpRetryEvents?: readonly string[];
  readonly grpcRetryEvents?: readonly string[];
  readonly maxRetries: number;
  readonly perRetryTimeout: DurationSpec;
}

export interface TimeoutSpec {
  readonly perRequest?: DurationSpec;
  readonly idle?: DurationSpec;
}

export interface PlainRouteSpec<Match> {
  readonly match: Match;
  readonly action: { readonly weightedTargets: readonly WeightedTargetSpec[] };
  readonly retryPolicy?: RetryPolicySpec;
  readonly timeout?: TimeoutSpec;
}

export interface RouteSpec {
  /** The CRD's; the CLI has it beside the spec. */
  readonly name?: string;
  readonly httpRoute?: PlainRouteSpec<HttpMatchSpec>;
  readonly http2Route?: PlainRouteSpec<HttpMatchSpec>;
  readonly grpcRoute?: PlainRouteSpec<GrpcMatchSpec>;
  readonly tcpRoute?: unknown;
  readonly priority?: number;
}

export interface VirtualRouterSpec {
  readonly awsName?: string;
  readonly routes?: readonly RouteSpec[];
}

export interface VirtualServiceSpec {
  readonly awsName?: string;
  readonly provider?: {
    readonly virtualNode?: { readonly virtualNodeRef?: RefSpec; readonly virtualNodeARN?: string; readonly virtualNodeName?: string };
    readonly virtualRouter?: {
      readonly virtualRouterRef?: RefSpec;
      readonly virtualRouterARN?: string;
      readonly virtualRouterName?: string;
    };
  };
}

export interface HealthCheckSpec {
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
  readonly intervalMillis: number;
  readonly timeoutMillis: number;
  readonly protocol: PortProtocol;
  readonly path?: string;
  readonly port?: number;
}

export interface OutlierSpec {
  readonly maxServerErrors: number;
  readonly interval: DurationSpec;
  readonly baseEjectionDuration: DurationSpec;
  readonly maxEjectionPercent: number;
}

export type PortProtocol = 'http' | 'http2' | 'grpc' | 'tcp';

export interface ListenerSpec {
  readonly portMapping: { readonly port: number; readonly protocol: PortProtocol };
  readonly healthCheck?: HealthCheckSpec;
  readonly outlierDetection?: OutlierSpec;
  readonly connectionPool?: unknown;
  readonly tls?: unknown;
  readonly timeout?: unknown;
}

export interface TlsFileSpec {
  readonly certificateChain: string;
  readonly privateKey: string;
}

export interface ClientTlsSpec {
  readonly enforce?: boolean;
  readonly ports?: readonly number[];
  readonly certificate?: { readonly file?: TlsFileSpec; readonly sds?: unknown };
  readonly validation: {
    readonly trust: { readonly file?: { readonly certificateChain: string }; readonly acm?: unknown; readonly sds?: unknown };
    readonly subjectAlternativeNames?: { readonly match: { readonly exact: readonly string[] } };
  };
}

export interface ClientPolicySpec {
  readonly tls?: ClientTlsSpec;
}

export interface BackendSpec {
  readonly virtualService: {
    readonly virtualServiceRef?: RefSpec;
    readonly virtualServiceARN?: string;
    readonly virtualServiceName?: string;
    readonly clientPolicy?: ClientPolicySpec;
  };
}

export interface VirtualNodeSpec {
  readonly awsName?: string;
  readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>>; readonly matchExpressions?: unknown };
  readonly listeners?: readonly ListenerSpec[];
  readonly serviceDiscovery?: {
    readonly dns?: { readonly hostname: string; readonly responseType?: string };
    readonly awsCloudMap?: {
      readonly namespaceName: string;
      readonly serviceName: string;
      readonly attributes?: readonly { readonly key: string; readonly value: string }[];
    };
  };
  readonly backends?: readonly BackendSpec[];
  readonly backendDefaults?: { readonly clientPolicy?: ClientPolicySpec };
}

export interface MeshSpec {
  readonly egressFilter?: { readonly type: 'ALLOW_ALL' | 'DROP_ALL' };
}

export const CRD_GROUP = 'appmesh.k8s.aws';

/** 0 for what is absent. */
export function msOf(duration: DurationSpec | undefined): number {
  if (duration === undefined) return 0;
  return duration.unit === 's' ? duration.value * 1_000 : duration.value;
}
