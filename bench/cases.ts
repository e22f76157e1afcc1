// The table of what is compared over sockets. Names are what `--only` matches.
import type { Tracing } from './telemetry.ts';

export type Via = 'direct' | 'nginx' | 'haproxy';

export type CallerName =
  | 'undiciRequest'
  | 'undiciRequestDrawn'
  | 'builtInFetch'
  | 'builtInFetchOverAgent'
  | 'meshRequest'
  | 'meshBuiltInFetch'
  | 'meshFetch'
  | 'cockatielFetch'
  | 'opossumFetch'
  | 'grpcUnary'
  | 'grpcUnaryMeshed';

export interface Case {
  readonly name: string;
  readonly group: 'bare' | 'inmesh' | 'assembled' | 'proxy hop' | 'gRPC';
  readonly caller: CallerName;
  readonly tracing: Tracing;
  /** Whether a meter provider is registered too, which costs two records a call unless it reads the mesh's own producer. */
  readonly metered: boolean;
  /** Whether spans come from OpenTelemetry's own instrumentation of undici instead of from inmesh. */
  readonly instrumented: boolean;
  readonly via: Via;
  /** Which spans the mesh makes. */
  readonly spans: 'own' | 'attempts';
}

function makeCase(group: Case['group'], name: string, caller: CallerName, rest: Partial<Case> = {}): Case {
  return { name, group, caller, tracing: 'off', metered: false, instrumented: false, via: 'direct', spans: 'own', ...rest };
}

const seen = (tracing: Tracing): Partial<Case> => ({ tracing, instrumented: true });

/** What every other row is divided by. */
export const BASELINE = 'undici.request';
/** The baseline over the two endpoints that the mesh has: two pools cost more than one, with a mesh or without. */
export const DRAWN = 'undici.request, address drawn by hand';
export const FETCH = 'fetch';
/** The undici inside Node is older than the one that the mesh uses, and cheaper for fetch. */
export const FETCH_OVER_AGENT = "fetch, undici's own Agent";
export const ASSEMBLED = 'fetch + cockatiel + instrumentation, all sampled';

export const CASES: readonly Case[] = [
  makeCase('bare', BASELINE, 'undiciRequest'),
  makeCase('bare', DRAWN, 'undiciRequestDrawn'),
  makeCase('bare', FETCH, 'builtInFetch'),
  makeCase('bare', FETCH_OVER_AGENT, 'builtInFetchOverAgent'),
  makeCase('inmesh', 'undici.request, mesh.dispatcher', 'meshRequest'),
  makeCase('inmesh', 'undici.request, mesh.dispatcher, 1 % sampled', 'meshRequest', { tracing: '1 %' }),
  makeCase('inmesh', 'undici.request, mesh.dispatcher, all sampled', 'meshRequest', { tracing: 'on' }),
  makeCase('inmesh', "undici.request, mesh.dispatcher, all sampled, spans: 'attempts'", 'meshRequest', {
    tracing: 'on',
    spans: 'attempts',
  }),
  makeCase('inmesh', 'fetch, mesh.dispatcher', 'meshBuiltInFetch'),
  makeCase('inmesh', 'mesh.fetch', 'meshFetch'),
  makeCase('inmesh', 'mesh.fetch, 1 % sampled', 'meshFetch', { tracing: '1 %' }),
  makeCase('inmesh', 'mesh.fetch, all sampled', 'meshFetch', { tracing: 'on' }),
  makeCase('inmesh', "mesh.fetch, all sampled, spans: 'attempts'", 'meshFetch', { tracing: 'on', spans: 'attempts' }),
  makeCase('inmesh', 'mesh.fetch, all sampled, metered', 'meshFetch', { tracing: 'on', metered: true }),
  makeCase('assembled', 'undici.request + instrumentation, all sampled', 'undiciRequest', seen('on')),
  makeCase('assembled', 'fetch + opossum', 'opossumFetch'),
  makeCase('assembled', 'fetch + cockatiel', 'cockatielFetch'),
  makeCase('assembled', 'fetch + cockatiel + instrumentation, 1 % sampled', 'cockatielFetch', seen('1 %')),
  makeCase('assembled', ASSEMBLED, 'cockatielFetch', seen('on')),
  makeCase('proxy hop', 'undici.request, one nginx', 'undiciRequest', { via: 'nginx' }),
  makeCase('proxy hop', 'undici.request, one HAProxy', 'undiciRequest', { via: 'haproxy' }),
];

/** What the other gRPC cases are divided by. */
export const GRPC_BASELINE = 'unary, grpc-js';
export const GRPC_MESHED = 'unary, grpc-js over channel(mesh)';

/** Against a server of grpc-js, so apart from the others. */
export const GRPC_CASES: readonly Case[] = [makeCase('gRPC', GRPC_BASELINE, 'grpcUnary'), makeCase('gRPC', GRPC_MESHED, 'grpcUnaryMeshed')];
