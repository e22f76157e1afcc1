// From any configuration to the concise form, with comments on where each piece came from, and a report of what it cannot
// say. The result is read again, so that what it means otherwise is in the report, too.
import type { MeshConfig, RouteConfig, ServiceConfig } from '../model/config.ts';
import { isHostName } from '../model/address.ts';
import type { MeshInput } from '../model/input.ts';
import type { ConfigIssue, ConfigPath } from '../model/issue.ts';
import { resolveConfig } from '../model/resolve.ts';
import type { RouteTarget, SourcePosition } from '../model/route.ts';
import { routeRetries } from '../model/route-retries.ts';
import { type Comments, documentWriter } from './document.ts';
import type { LoadedConfig } from './load.ts';
import { type Loss, LossReport, type LossScope } from './losses.ts';
import { withDifferences } from './read-back.ts';
import { ConciseNames, plainName } from './write/concise-names.ts';
import { conciseRetries, conciseRoute, NO_CALL, perTryText, timeoutText } from './write/concise-route.ts';
import { describeEndpoints } from './write/describe-policy.ts';
import { isAnswering, targetName } from './write/describe-route.ts';
import { describeMesh, describePolicies, describeService } from './write/describe-service.ts';
import { minimalPolicy } from './write/minimal.ts';
import { isPlainMap, type Plain, type PlainMap, plainKey } from './write/plain.ts';
import { placeText, positionsOf } from './write/positions.ts';
import { reportLeftBehind } from './write/left-behind.ts';
import { missingHost, placeOf } from './write/service-place.ts';

export interface Imported {
  /** YAML of the concise form. */
  readonly text: string;
  readonly losses: readonly Loss[];
}

type Source = Pick<LoadedConfig, 'config' | 'at' | 'resources'>;

export async function importConfig(loaded: Source): Promise<Imported> {
  const importer = new Importer(loaded);
  const { input, comments } = importer.run();
  const printer = await documentWriter();
  return { text: printer.print(input, comments), losses: importer.losses };
}

const KEEP = 'the concise form has no words for it; keep the document beside it';

/** Rounds of taking out what is refused. */
const ROUNDS_MAX = 20;

class Importer {
  readonly #loaded: Source;
  readonly #config: MeshConfig;
  readonly #report: LossReport;
  readonly #names: ConciseNames;
  readonly #comments: [ConfigPath, string][] = [];
  #losses: readonly Loss[];

  constructor(loaded: Source) {
    this.#loaded = loaded;
    this.#config = loaded.config;
    this.#report = new LossReport(positionsOf(loaded), 'nobody wrote it');
    this.#losses = this.#report.losses;
    this.#names = new ConciseNames(loaded.config);
  }

  /** What the writer knows of, and after a comparison with what was written, all. */
  get losses(): readonly Loss[] {
    return this.#losses;
  }

  run(): { readonly input: PlainMap; readonly comments: Comments } {
    const whole = this.#whole();
    const input = this.#accepted(whole);
    this.#compare(input);
    const isThere = ([path]: readonly [ConfigPath, string]): boolean => path.length === 0 || valueAt(input, path) !== undefined;
    return { input, comments: this.#comments.filter(isThere) };
  }

  #whole(): PlainMap {
    const { services, unnamed } = this.#config;
    const plain = resolveConfig({});
    const hard = 'config' in plain ? plain.config.unnamed : unnamed;
    const defaults = this.#policies(unnamed, levelOf(hard), this.#report.ofMesh());
    const base = levelOf(unnamed);
    for (const resource of this.#loaded.resources) reportLeftBehind(resource, this.#report, KEEP);
    this.#comments.push([[], 'Written by inmesh import.']);
    return {
      ...this.#mesh(),
      ...(Object.keys(defaults).length === 0 ? {} : { defaults }),
      services: Object.fromEntries(Object.values(services).map((service) => [this.#names.of(service.name), this.#service(service, base)])),
    };
  }

  #mesh(): PlainMap {
    const plain = resolveConfig({});
    const described = describeMesh(this.#config);
    const usual =
      'config' in plain
        ? describeMesh({
            ...plain.config,
            identity: this.#config.identity,
            inbound: { ...plain.config.inbound, mtls: usualMtls(this.#config) },
          })
        : {};
    const said = Object.entries(described).flatMap(([key, value]) => {
      const other = usual[key];
      if (key === 'identity') return [[key, value] as const];
      if (other !== undefined && plainKey(value) === plainKey(other)) return [];
      return [[key, isPlainMap(value) && isPlainMap(other) ? differing(value, other) : value] as const];
    });
    return Object.fromEntries(said);
  }

  /** What differs from the level above. */
  #policies(service: ServiceConfig, base: Level, scope: LossScope): PlainMap {
    const { input, foreign } = describePolicies(service);
    for (const [path, value] of Object.entries(foreign)) {
      if (path.startsWith('retries.')) continue;
      if (USUAL[path] === value) scope.approximated(path, value, '', 'left to the transport');
      else scope.lost(path, value, 'the concise form has no word for it');
    }
    const timeout = timeoutText(service.timeoutMs);
    const unsaid = Object.keys(foreign).filter((path) => path.startsWith('retries.'));
    const retries = conciseRetries(input.retries ?? false, perTryText(service.retries, timeout), scope, unsaid);
    const prepared: Record<string, Plain> = { ...input, timeout, retries };
    const { input: above, retries: retriesAbove } = base;
    const timeoutAbove = timeoutText(base.timeoutMs);
    const preparedBase: PlainMap = {
      ...above,
      timeout: timeoutAbove,
      retries: conciseRetries(above.retries ?? false, perTryText(retriesAbove, timeoutAbove), null, []),
    };
    const said = Object.entries(prepared).map(([key, value]) => [key, minimalPolicy(key, value, preparedBase[key])] as const);
    return Object.fromEntries(said.filter((pair): pair is readonly [string, Plain] => pair[1] !== undefined));
  }

  #service(whole: ServiceConfig, base: Level): PlainMap {
    const service = withSharedTimes(whole);
    const name = this.#names.of(service.name);
    const scope = this.#report.ofService(service);
    const path = ['services', name];
    if (service.source !== undefined) this.#comments.push([path, placeText(service.source)]);
    for (const [field, position] of Object.entries(service.sources ?? {})) this.#comment([...path, KEYS[field] ?? field], position);
    if (name !== service.name) {
      scope.approximated('', service.name, `services.${name}`, 'the concise form takes letters, digits, dots and dashes');
      this.#report.ofMesh().approximated(`services.${name}`, service.name, `services.${name}`, `the name that ${service.name} has there`);
    }
    const { subsets } = describeService(service).input;
    const policies = this.#policies(service, base, scope);
    const routes = this.#routes(service, path);
    return {
      ...this.#hosts(service, name, scope),
      ...this.#endpoints(service, scope),
      ...policies,
      ...(isPlainMap(subsets)
        ? {
            subsets: Object.fromEntries(Object.entries(subsets).flatMap(([own, labels]) => (own === '' ? [] : [[plainName(own), labels]]))),
          }
        : {}),
      ...(routes.length === 0 ? {} : { routes }),
    };
  }

  #comment(path: ConfigPath, position: SourcePosition): void {
    this.#comments.push([path, placeText(position)]);
  }

  /** Names without ports and stars. */
  #hosts(service: ServiceConfig, name: string, scope: LossScope): PlainMap {
    const bare = service.hosts.filter((host) => host !== name && isHostName(host));
    const lost = service.hosts.filter((host) => !isHostName(host) && !service.hosts.includes(host.replace(/:\d+$/, '')));
    if (lost.length > 0) scope.lost('hosts', lost, 'a host of the concise form has neither a port nor a star');
    return bare.length === 0 ? {} : { hosts: bare };
  }

  #endpoints(service: ServiceConfig, scope: LossScope): PlainMap {
    const { endpoints } = service;
    const described = describeEndpoints(endpoints);
    const isUnknown = endpoints.kind === 'static' && endpoints.endpoints.length === 0;
    const place = placeOf(service, this.#config);
    if (!isUnknown || !place.isKubernetes || !this.#isAskedFor(service)) return described;
    scope.approximated(
      ['endpoints', 'dns'],
      [],
      `dns: ${place.host}:80`,
      'nobody says who answers, so DNS is asked; give endpoints with labels where there are subsets',
    );
    return { dns: `${place.host}:${place.port ?? 80}` };
  }

  /** Whether a rule leads there, although nobody is known to answer. */
  #isAskedFor({ name }: ServiceConfig): boolean {
    const routes = Object.values(this.#config.services).flatMap((one) => one.routes);
    return routes.some(({ targets }) => targets.some((target) => target.fails !== undefined && this.#revived(target)?.service === name));
  }

  #revived(target: RouteTarget): RouteTarget | null {
    const host = target.fails === undefined ? null : missingHost(target.fails);
    const found = Object.values(this.#config.services).find((one) => placeOf(one, this.#config).host === host);
    if (found === undefined || (target.subset !== undefined && !Object.hasOwn(found.subsets, target.subset))) return null;
    const { fails: _, ...alive } = target;
    return { ...alive, service: found.name };
  }

  #routes(service: ServiceConfig, path: ConfigPath): Plain[] {
    const names = new Set<string>();
    const routes = service.routes.filter((route, i) => !isAutomatic(route, i, service));
    return routes.map((route, i): PlainMap => {
      if (route.source !== undefined) this.#comment([...path, 'routes', i], route.source);
      const report = this.#report.ofRoute(service, route);
      const isRevived = route.targets.some((target) => target.fails !== undefined && this.#revived(target) !== null);
      if (isRevived)
        report.approximated('to', route.targets.map(targetName), 'to', 'nobody is known to answer; it is sent there all the same');
      const said = conciseRoute(route, service, { names: this.#names, report, revived: (target) => this.#revived(target) });
      const name = nameOf(route, i, names);
      return { ...(name === undefined ? {} : { name }), ...said };
    });
  }

  /** Takes out what the concise form refuses, and says so. */
  #accepted(whole: PlainMap): PlainMap {
    let input = whole;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const resolved = resolveConfig(input as MeshInput, { numericDurations: false });
      if (!('issues' in resolved)) return input;
      for (const issue of resolved.issues) if (issue.severity === 'error') input = this.#without(input, issue);
    }
    return input;
  }

  #without(input: PlainMap, { path, message }: ConfigIssue): PlainMap {
    // A field of a rule, or of a service, as a whole; one match of several by itself.
    const isMatch = path[2] === 'routes' && path[4] === 'match';
    const length = isMatch && typeof path[5] === 'number' ? 6 : path[2] === 'routes' ? 5 : 3;
    const at = path.slice(0, path[0] === 'services' ? length : 2);
    const value = valueAt(input, at);
    if (value === undefined || value === NO_CALL) return input;
    const [, name, , index, key] = at;
    const service = Object.values(this.#config.services).find((one) => this.#names.of(one.name) === name);
    const route = service?.routes[Number(index)];
    const why = `the concise form refuses it: ${message}`;
    if (service !== undefined && route !== undefined && index !== undefined)
      this.#report.ofRoute(service, route).lost(key === undefined ? '' : String(key), value, why);
    else if (service !== undefined) this.#report.ofService(service).lost(String(at[2] ?? ''), value, why);
    else this.#report.ofMesh().lost(at.join('.'), value, why);
    // Without it a rule would take every call.
    return replaced(input, at, isMatch ? NO_CALL : undefined) as PlainMap;
  }

  /** What reads back otherwise is said, whatever the reason. */
  #compare(input: PlainMap): void {
    const resolved = resolveConfig(input as MeshInput, { numericDurations: false });
    if ('issues' in resolved) return;
    this.#losses = withDifferences(this.#loaded, resolved.config, this.#report.losses);
  }
}

/** What Istio means by silence. */
const USUAL: Readonly<Record<string, Plain>> = { 'connections.connectTimeout': '10s', 'connections.idleTimeout': '1h' };

/** Policies of the level above: those of all services. */
interface Level {
  readonly input: PlainMap;
  readonly timeoutMs: number;
  readonly retries: ServiceConfig['retries'];
}

function levelOf(service: ServiceConfig): Level {
  const { timeoutMs, retries } = service;
  return { input: describePolicies(service).input, timeoutMs, retries };
}

/** What all rules say in the same way is said once, of the service. */
function withSharedTimes(service: ServiceConfig): ServiceConfig {
  const sending = service.routes.filter((route) => !isAnswering(route));
  const [first] = sending;
  if (first === undefined) return service;
  const timeoutOf = (route: RouteConfig): number => route.timeoutMs ?? service.timeoutMs;
  const retriesOf = (route: RouteConfig): ServiceConfig['retries'] => routeRetries(route, service);
  const isTimed = sending.every((route) => timeoutOf(route) === timeoutOf(first));
  const isRepeated = sending.every((route) => JSON.stringify(retriesOf(route)) === JSON.stringify(retriesOf(first)));
  return {
    ...service,
    ...(isTimed ? { timeoutMs: timeoutOf(first) } : {}),
    ...(isRepeated ? { retries: retriesOf(first) } : {}),
    routes: service.routes.map(({ timeoutMs, retries, perTryTimeoutMs, ...route }) => ({
      ...route,
      ...(isTimed || timeoutMs === undefined ? {} : { timeoutMs }),
      ...(isRepeated || retries === undefined ? {} : { retries }),
      ...(isRepeated || perTryTimeoutMs === undefined ? {} : { perTryTimeoutMs }),
    })),
  };
}

/** Fields of the model that have another name in the concise form. */
const KEYS: Readonly<Record<string, string>> = { timeoutMs: 'timeout' };

function usualMtls({ identity }: MeshConfig): MeshConfig['inbound']['mtls'] {
  return identity === null ? 'disable' : 'permissive';
}

function differing(value: PlainMap, other: PlainMap): PlainMap {
  return Object.fromEntries(
    Object.entries(value).filter(([key, own]) => other[key] === undefined || plainKey(own) !== plainKey(other[key])),
  );
}

/** The loader puts in what no rule matches by itself. */
function isAutomatic(route: RouteConfig, i: number, { routes, name }: ServiceConfig): boolean {
  const [only, second] = route.targets;
  const isPlain = second === undefined && only?.service === name && only.subset === undefined && only.fails === undefined;
  const { dialect: _d, matches, name: _n, targets: _t, mirrors, idempotent, source: _s, sources: _p, ...more } = route;
  return (
    i === routes.length - 1 && matches.length === 0 && isPlain && mirrors.length === 0 && !idempotent && Object.keys(more).length === 0
  );
}

/** undefined: the place says it. */
function nameOf({ name }: RouteConfig, index: number, taken: Set<string>): string | undefined {
  const plain = plainName(name.slice(name.lastIndexOf('/') + 1));
  let free = plain;
  for (let i = 2; taken.has(free); i++) free = `${plain}-${i}`;
  taken.add(free);
  return free === `route-${index + 1}` ? undefined : free;
}

function valueAt(value: Plain | undefined, path: ConfigPath): Plain | undefined {
  let found = value;
  for (const step of path) found = Array.isArray(found) ? found[Number(step)] : isPlainMap(found) ? found[String(step)] : undefined;
  return found;
}

/** undefined: taken out. */
function replaced(value: Plain, [step, ...rest]: ConfigPath, by: Plain | undefined): Plain {
  const next = (one: Plain): Plain[] => (rest.length > 0 ? [replaced(one, rest, by)] : by === undefined ? [] : [by]);
  if (Array.isArray(value)) return value.flatMap((one: Plain, i: number) => (i === step ? next(one) : [one]));
  return Object.fromEntries(
    Object.entries(value as PlainMap).flatMap(([key, one]) =>
      key === String(step) ? next(one).map((own) => [key, own] as const) : [[key, one] as const],
    ),
  );
}
