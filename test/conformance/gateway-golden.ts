// HTTPRoutes beside the VirtualServices that Istio's own converter makes of them: both are read, and asked about the same
// calls. Knows of no rule how it should look, only what becomes of a call.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { MeshConfig, RouteConfig, ServiceConfig } from '../../src/model/config.ts';
import type { HeaderOperations } from '../../src/model/route.ts';
import { loadRegex } from '../../src/route/regex.ts';
import { writeConfig } from '../../src/yaml/export.ts';
import { ROOT } from '../house/tree.ts';
import { loadTexts } from '../yaml/export/documents.ts';
import { decider, type Decision, type TestCall } from '../yaml/export/decisions.ts';

const FOLDER = join(ROOT, '../shared/conformance/istio/gateway-golden');

export const hasGoldens: boolean = existsSync(FOLDER);

export interface GoldenResult {
  readonly file: string;
  /** What the rules are for: `istio-system/gateway first.domain.example`. */
  readonly of: string;
  readonly calls: number;
  /** null: passed. */
  readonly fault: string | null;
  /** Why it cannot be asked. */
  readonly excluded: string | null;
  /** Whether our own writer was asked, too. */
  readonly isWritten: boolean;
}

type Json = Readonly<Record<string, unknown>>;

interface Document extends Json {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly hosts?: readonly string[]; readonly gateways?: readonly string[]; readonly http?: readonly Json[] };
}

/** One table of rules of the converter's. */
interface Table {
  readonly document: Document;
  readonly gateway: string;
  readonly host: string;
}

const regex = await loadRegex();

export function goldenFiles(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml') && existsSync(join(FOLDER, `${name}.golden`)))
    .sort();
}

function documentsIn(text: string): Document[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Document | null) ?? []);
}

export async function compareGolden(file: string): Promise<GoldenResult[]> {
  const input = readFileSync(join(FOLDER, file), 'utf8');
  const golden = readFileSync(join(FOLDER, `${file}.golden`), 'utf8').replaceAll('svc.domain.suffix', 'svc.cluster.local');
  const tables = tablesIn(documentsIn(golden));
  const none = (excluded: string): GoldenResult[] => [{ file, of: '', calls: 0, fault: null, excluded, isWritten: false }];
  if (tables.length === 0) return none(whyNone(documentsIn(golden)));
  const inputs = documentsIn(input);
  if (inputs.some(({ kind }) => /^X?ListenerSet$/.test(kind))) return none(BY_LISTENER);
  const services = servicesFor(golden, inputs);
  const ours = await loadTexts([input, services]);
  if (ours === null) return none('the manifest is refused');
  const { documents } = await writeConfig(ours, 'istio');
  const written = await loadTexts(documents.map(({ text }) => text));
  const results: GoldenResult[] = [];
  const entries = inputs.filter(({ kind }) => kind === 'ServiceEntry' || kind === 'Service').map((one) => stringify(one));
  for (const table of tables)
    results.push(
      await compareTable(
        file,
        table,
        tables,
        { read: ours.config, written: written?.config ?? null },
        [services, ...entries].join('---\n'),
      ),
    );
  return results;
}

/** Tables that depend on which namespaces a listener lets in. */
const BY_NAMESPACE: ReadonlySet<string> = new Set(
  ['a', 'b'].map((name) => `route-precedence.yaml istio-system/gateway ${name}.domain.example`),
);
const BY_LISTENER = 'the listener that a call comes in by decides';

function whyNone(golden: readonly Document[]): string {
  const hasOther = golden.some(({ kind }) => kind === 'VirtualService');
  if (hasOther) return 'rules for TCP and TLS: a process sends HTTP and gRPC';
  return 'no VirtualService comes of it: listeners, policies and references of a Gateway';
}

function tablesIn(golden: readonly Document[]): Table[] {
  return golden.flatMap((document) => {
    const { hosts = [], gateways = [], http } = document.spec ?? {};
    if (document.kind !== 'VirtualService' || http === undefined) return [];
    return gateways.flatMap((gateway) => hosts.map((host): Table => ({ document, gateway, host })));
  });
}

/** Whoever Istio's converter knows answers on both sides. */
function servicesFor(golden: string, input: readonly Document[]): string {
  const known = new Set(
    input.filter(({ kind }) => kind === 'Service').map(({ metadata }) => `${metadata.name}.${metadata.namespace ?? 'default'}`),
  );
  const ports = new Map<string, Set<number>>();
  for (const [, name = '', namespace = '', port = '80'] of golden.matchAll(
    /host: ([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local(?:\n\s+port:\n\s+number: (\d+))?/g,
  )) {
    const key = `${name}.${namespace}`;
    if (!known.has(key)) ports.set(key, (ports.get(key) ?? new Set<number>()).add(Number(port)));
  }
  return [...ports]
    .map(([key, numbers]) => {
      const [name, namespace] = key.split('.');
      const list = [...numbers].map((port) => ({ name: `http-${port}`, port }));
      return stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace },
        spec: { selector: { app: name }, ports: list },
      });
    })
    .join('---\n');
}

interface Ours {
  readonly read: MeshConfig;
  /** The same, written for Istio and read again; null: it cannot be read. */
  readonly written: MeshConfig | null;
}

async function compareTable(file: string, table: Table, all: readonly Table[], ours: Ours, services: string): Promise<GoldenResult> {
  const { gateway, host, document } = table;
  const parent = gateway.replace(/~.*$/, '');
  const result = { file, of: `${parent} ${host}`, calls: 0, fault: null, excluded: null, isWritten: false };
  const isOneOfMany = all.some((one) => one.gateway.replace(/~.*$/, '') === parent && one.gateway !== gateway);
  if (isOneOfMany || BY_NAMESPACE.has(`${file} ${result.of}`)) return { ...result, excluded: BY_LISTENER };
  const theirs = (await loadTexts([stringify(withOwnHost(document)), services]))?.config;
  const other = theirs === undefined ? undefined : Object.values(theirs.services).find(({ hosts }) => hosts.includes(HOST));
  if (theirs === undefined || other === undefined)
    return { ...result, excluded: 'the VirtualService needs a Gateway, or a destination that is none of HTTP' };
  const port = portOf(document);
  const authority = port === undefined ? called(table, all) : `${host}:${port}`;
  const own = serviceFor(ours.read, parent, host, authority);
  if (own === undefined) return { ...result, fault: 'nobody here has these rules' };
  const calls = callsFor([...own.routes, ...other.routes]);
  const before: Side = { config: withSegments(theirs, document), name: other.name };
  const fault = await firstDifference(calls, authority, before, { config: ours.read, name: own.name });
  if (fault !== null) return { ...result, calls: calls.length, fault };
  if (ours.written === null) return { ...result, fault: 'what was written for Istio cannot be read' };
  const written = serviceFor(ours.written, parent, host, authority);
  // What is for every host is for a Gateway alone, and said to be lost.
  const isWritten = written !== undefined && !own.hosts.includes('*');
  const change = isWritten ? await firstDifference(calls, authority, before, { config: ours.written, name: written.name }) : null;
  return { ...result, calls: calls.length, fault: change === null ? null : `written as a VirtualService: ${change}`, isWritten };
}

interface Side {
  readonly config: MeshConfig;
  readonly name: string;
}

/** null: the same becomes of all calls. */
async function firstDifference(calls: readonly TestCall[], authority: string, wanted: Side, found: Side): Promise<string | null> {
  const deciders = [await decider(wanted.config, wanted.name, regex), await decider(found.config, found.name, regex)] as const;
  for (const call of calls) {
    const before = seen(await deciders[0]({ ...call, authority }), wanted.name, authority);
    const after = seen(await deciders[1]({ ...call, authority }), found.name, authority);
    if (before === after) continue;
    const headers = Object.entries(call.headers).map(([name, value]) => ` ${name}: ${value}`);
    return `${call.method} ${call.path}${headers.join('')}: ${after}, wanted ${before}`;
  }
  return null;
}

const HOST = 'golden.example';

/** As if it were for callers. */
function withOwnHost({ spec, ...document }: Document): Json {
  const { gateways: _gateways, ...rest } = spec ?? {};
  return {
    ...document,
    metadata: { name: 'golden', namespace: document.metadata.namespace ?? 'default' },
    spec: { ...rest, hosts: [HOST] },
  };
}

/** Marked so, a prefix of Istio's ends where a segment does. */
function withSegments(config: MeshConfig, { metadata }: Document): MeshConfig {
  if (metadata.annotations?.['internal.istio.io/route-semantics'] !== 'gateway') return config;
  const bySegment = (route: RouteConfig): RouteConfig => ({
    ...route,
    matches: route.matches.map((match) =>
      match.path?.kind === 'prefix' ? { ...match, path: { ...match.path, kind: 'pathPrefix' as const } } : match,
    ),
    ...(route.rewrite?.path?.kind === 'prefix'
      ? { rewrite: { ...route.rewrite, path: { ...route.rewrite.path, by: 'segment' as const } } }
      : {}),
    ...(route.redirect?.path?.kind === 'prefix'
      ? { redirect: { ...route.redirect, path: { ...route.redirect.path, by: 'segment' as const } } }
      : {}),
  });
  const services = Object.entries(config.services).map(([name, service]) => [name, { ...service, routes: service.routes.map(bySegment) }]);
  return { ...config, services: Object.fromEntries(services) as MeshConfig['services'] };
}

/** The rules of a port other than the usual one. */
function portOf({ spec }: Document): number | undefined {
  const [first] = (spec?.http ?? []).flatMap(({ match }) => (match ?? []) as readonly { readonly port?: number }[]);
  return first?.port === 80 ? undefined : first?.port;
}

/** A host that this table alone is for. */
function called({ host, gateway }: Table, all: readonly Table[]): string {
  const others = all.filter((one) => one.gateway === gateway).map((one) => one.host);
  if (host === '*') return 'other.test';
  if (!host.startsWith('*.')) return host;
  const name = `any${host.slice(1)}`;
  return others.includes(name) ? `some${host.slice(1)}` : name;
}

function serviceFor({ services }: MeshConfig, parent: string, host: string, authority: string): ServiceConfig | undefined {
  const [namespace = '', name = ''] = parent.split('/');
  const all = Object.values(services);
  const byHost = (wanted: string): ServiceConfig | undefined => all.find(({ hosts }) => hosts.includes(wanted));
  if (parent === 'mesh') return byHost(authority) ?? byHost(host);
  return byHost(`${name}.${namespace}.gateway`) ?? byHost(authority) ?? byHost(host);
}

/** What each rule of either side is for, and calls that just miss it. */
function callsFor(routes: readonly RouteConfig[]): TestCall[] {
  const calls = new Map<string, TestCall>();
  const add = (call: TestCall): void => void calls.set(JSON.stringify(call), call);
  add({ method: 'GET', path: '/', headers: {} });
  for (const { path, method, headers, queryParams } of routes.flatMap(({ matches }) => matches)) {
    const own = Object.fromEntries(
      Object.entries(headers).flatMap(([name, one]) => (one.kind === 'present' || one.invert ? [] : [[name, one.value]])),
    );
    const query = Object.entries(queryParams).map(([name, one]) => `${name}=${one.kind === 'present' ? '' : one.value}`);
    const verb = method === undefined || method.kind === 'present' || method.kind === 'regex' ? 'GET' : method.value;
    const base = path?.value ?? '/';
    for (const one of [base, `${base.replace(/\/$/, '')}/x`, `${base}x`, '/']) {
      for (const search of query.length === 0 ? [''] : ['', `?${query.join('&')}`]) {
        add({ method: verb, path: `${one}${search}`, headers: own });
        add({ method: verb, path: `${one}${search}`, headers: {} });
      }
    }
    add({ method: verb === 'GET' ? 'POST' : 'GET', path: base, headers: own });
  }
  return [...calls.values()];
}

/** All that caller and endpoint notice. A proxy that cannot answers with a status, whatever the reason. */
function seen({ route, outcome }: Decision, name: string, authority: string): string {
  const { status, location, body } = outcome;
  const fails = Object.keys((outcome.to ?? {}) as object).find((one) => one.startsWith('fails'));
  if (status === 500 || fails !== undefined) return 'an error';
  const whole = (target: RouteConfig['targets'][number] | null): Json => ({
    request: operationsText([route.requestHeaders, target?.requestHeaders]),
    response: operationsText([route.responseHeaders, target?.responseHeaders]),
  });
  if (location !== undefined)
    return JSON.stringify({ status, location: [location].flat().join().replaceAll(name, authority), ...whole(null) });
  if (status !== undefined) return JSON.stringify({ status, body, ...whole(null) });
  const { to, path, mirrors } = outcome;
  const drawn = route.targets.filter(({ weight }, _i, { length }) => length === 1 || weight > 0);
  const host = outcome.authority === name ? authority : outcome.authority;
  return JSON.stringify({ to, path, mirrors, host, timeoutMs: route.timeoutMs ?? 0, headers: drawn.map(whole) });
}

function operationsText(list: readonly (HeaderOperations | undefined)[]): readonly string[] {
  const text = ({ set, add, remove, append = [] }: HeaderOperations): string[] => [
    ...Object.entries(set).map(([name, value]) => `set ${name}: ${value}`),
    ...[...Object.entries(add), ...append].map(([name, value]) => `add ${name}: ${value}`),
    ...remove.map((name) => `remove ${name}`),
  ];
  return list.flatMap((one) => (one === undefined ? [] : text(one))).sort();
}
