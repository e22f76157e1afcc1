// The cases of the Gateway API's conformance suite, as data: what is asked, what must come back. Their folder stands beside
// the repository; its README says what each key means.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface CaseRequest {
  readonly protocol?: 'H2C_PRIOR_KNOWLEDGE' | 'H2' | 'grpc' | 'tcp' | 'tls' | 'udp';
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly requestIdQueryParam?: boolean;
  readonly grpc?: {
    readonly service: string;
    readonly method: string;
    readonly authority?: string;
    readonly metadata?: Readonly<Record<string, string>>;
  };
}

export interface CaseExpected {
  readonly statusCodes?: readonly number[];
  readonly anyStatusExcept?: readonly number[];
  readonly backend?: string;
  readonly namespace?: string;
  readonly backendSetResponseHeaders?: Readonly<Record<string, string>>;
  readonly expectedRequest?: {
    readonly method?: string;
    readonly host?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly absentHeaders?: readonly string[];
  };
  readonly answeredByGateway?: boolean;
  readonly response?: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly headersWithAnyOf?: Readonly<Record<string, readonly string[]>>;
    readonly absentHeaders?: readonly string[];
    readonly ignoreWhitespace?: boolean;
  };
  readonly redirect?: { readonly scheme?: string; readonly host?: string; readonly port?: string; readonly path?: string };
  readonly mirroredTo?: readonly { readonly name: string; readonly namespace: string; readonly percent?: number }[];
  readonly backendTls?: { readonly sni?: string };
  readonly grpc?: {
    readonly code?: number;
    readonly anyCodeExcept?: readonly number[];
    readonly service?: string;
    readonly method?: string;
  };
}

export interface SuiteCase {
  readonly name: string;
  readonly group?: readonly string[];
  readonly needs?: string;
  readonly gateway?: string;
  readonly client?: { readonly name: string; readonly namespace: string };
  readonly request: CaseRequest;
  readonly expected: CaseExpected;
  readonly note?: string;
}

export interface Band {
  readonly path: string;
  readonly backend: string;
  readonly min: number;
  readonly max: number;
}

/** What a test does beyond its cases. */
export interface Custom {
  readonly weights?: Readonly<Record<string, number>>;
  readonly requests?: number;
  readonly tolerance?: number;
  readonly attempts?: number;
  readonly concurrency?: number;
  readonly header?: string;
  readonly bands?: readonly Band[];
  readonly endpointSlices?: readonly string[];
  readonly filledWith?: string;
  readonly frames?: readonly { readonly type: 'text' | 'binary'; readonly data: string | readonly number[] }[];
  readonly consecutiveSuccesses?: number;
  readonly steps?: readonly { readonly case?: number; readonly delete?: { readonly kind: string; readonly name: string } }[];
}

export interface SuiteTest {
  readonly test: string;
  readonly file?: string;
  readonly files?: readonly string[];
  readonly suite: 'north-south' | 'mesh';
  readonly kind: string;
  readonly gateway?: string;
  readonly client?: string;
  readonly needs?: string;
  readonly cases: readonly SuiteCase[];
  readonly custom?: Custom;
}

export interface Suite {
  readonly folder: string;
  readonly source: { readonly repository: string; readonly commit: string };
  /** What the marks mean. */
  readonly needs: Readonly<Record<string, string>>;
  readonly tests: readonly SuiteTest[];
}

const FOLDER = fileURLToPath(new URL('../../../../shared/conformance/gateway-api/', import.meta.url));

/** null where the data is not there. */
export function loadSuite(): Suite | null {
  const path = `${FOLDER}cases.json`;
  return existsSync(path) ? { ...(JSON.parse(readFileSync(path, 'utf8')) as Omit<Suite, 'folder'>), folder: FOLDER } : null;
}

/** The manifests that a test needs, unchanged. */
export function manifestsOf({ folder }: Suite, { suite, file, files }: SuiteTest): string[] {
  const base = suite === 'mesh' ? 'mesh/manifests.yaml' : 'base/manifests.yaml';
  return [base, ...(files ?? (file === undefined ? [] : [file]))].map((path) => folder + path);
}

export const INFRA = 'gateway-conformance-infra';
export const MESH = 'gateway-conformance-mesh';
