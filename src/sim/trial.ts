// A configuration on trial: one thing goes wrong, and the same world is lived through three times: with the configuration,
// without any policy, and on a good day. Gives figures of all three, and a verdict.
import type { ConfigSource } from '../mesh/config-source.ts';
import type { MeshConfig } from '../model/config.ts';
import { type Pathology, pathologies, type PathologyName, type PathologyPlan } from './pathologies.ts';
import { plainConfig } from './plain-config.ts';
import type { Stats } from './recording.ts';
import { streamOf } from './seeded-random.ts';
import type { Series } from './series.ts';
import { checkedSource, type Environment, simConfig, type SimConfig } from './sim-config.ts';
import { type SimulationOptions, type SimWorld, simulate } from './simulate.ts';
import { DURATION_MS_MIN, type OpenSite, openSite, type Site, type SiteOptions, zoneOf } from './site.ts';
import type { SimulationResult } from './simulation-result.ts';
import { type Comparison, compare, type Verdict, verdictOf } from './verdict.ts';

export interface TrialOptions extends SiteOptions {
  /** As for `createMesh`. DNS names and files of endpoints become models. */
  readonly config: ConfigSource;
  /** The service that is called. @default the first that has endpoints */
  readonly service?: string;
  /** By name, or one of your own. */
  readonly pathology: PathologyName | Pathology;
  /** Endpoints invented for a service that is found by DNS. @default 3 */
  readonly behindNames?: number;
  /** Where `${VAR}` in files is read. @default nowhere */
  readonly env?: Environment;
}

/** One way through the trouble. Figures are of the calls that began while it lasted. */
export interface TrialRun extends Stats {
  /** Calls a second that were answered well in time. */
  readonly goodRps: number;
  /** From the end of the trouble until 99 % go well, and do so for 5 s; Infinity (null as JSON) when that is not within the run. */
  readonly recoveryMs: number;
  /** Share of the attempts that went to the endpoints that were worse; null when all were the same. */
  readonly worstShare: number | null;
  readonly verdict: Verdict;
  /** Of the whole run, second by second. */
  readonly series: Series;
}

export interface Trial {
  /** Name of the pathology; `own` for one of yours. */
  readonly pathology: string;
  readonly title: string;
  readonly service: string;
  /** When the trouble began and ended, ms since the start. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** With the configuration. */
  readonly inmesh: TrialRun;
  /** The same services, routes and timeouts; round robin, and no policy. */
  readonly plain: TrialRun;
  /** With the configuration, when nothing goes wrong. */
  readonly healthy: TrialRun;
  readonly comparedWithPlain: Comparison;
}

/** Why a pathology means nothing here, or null. */
export function unfit(site: Site, { needs = {} }: Pathology): string | null {
  const { endpoints = 1, zones = 0 } = needs;
  const found = new Set(site.endpoints.map(zoneOf).filter((zone) => zone !== '')).size;
  if (site.endpoints.length < endpoints) return `needs ${endpoints} endpoints that calls reach; there is ${site.endpoints.length}`;
  return found < zones ? `needs endpoints in ${zones} zones (locality); there ${found === 1 ? 'is' : 'are'} ${found}` : null;
}

/** Runs one trial. Rejects for a faulty configuration, and for a pathology that means nothing to the service. */
export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { config, service, pathology, behindNames = 3, env = {}, ...more } = options;
  const from = await simConfig(config, env, behindNames);
  const bench = await openBench(from, service ?? serviceOf(from), more);
  return bench.run(pathology);
}

/** A service with its good day lived through, ready for any number of trials. */
export interface TrialBench {
  readonly site: Site;
  readonly run: (pathology: PathologyName | Pathology) => Promise<Trial>;
}

export async function openBench(from: SimConfig, service: string, options: SiteOptions = {}): Promise<TrialBench> {
  if ((options.durationMs ?? DURATION_MS_MIN) < DURATION_MS_MIN) throw new TypeError(`a trial takes at least ${DURATION_MS_MIN} ms`);
  if (!from.endpoints.has(service)) throw new TypeError(`there is no service "${service}" in the configuration`);
  const site = await openSite(from, service, options);
  const plain = plainConfig(from.config);
  const healthy = figuresOf(await live(site, from.config, {}), site, {});
  const baseline: TrialRun = { ...healthy, verdict: verdictOf(healthy, healthy) };
  const runWith = async (config: MeshConfig, plan: PathologyPlan): Promise<TrialRun> => {
    const figures = figuresOf(await live(site, config, plan), site, plan);
    return { ...figures, verdict: verdictOf(figures, baseline) };
  };
  const run = async (which: PathologyName | Pathology): Promise<Trial> => {
    const pathology: Pathology = typeof which === 'string' ? pathologies[which] : which;
    const fault = unfit(site, pathology);
    if (fault !== null) throw new TypeError(`${nameOf(which)} ${fault}`);
    const plan = pathology.plan(site);
    const runs = { inmesh: which === 'healthy' ? baseline : await runWith(from.config, plan), plain: await runWith(plain, plan) };
    const { title } = pathology;
    const { fromMs, untilMs } = site;
    return {
      pathology: nameOf(which),
      title,
      service,
      fromMs,
      untilMs,
      ...runs,
      healthy: baseline,
      comparedWithPlain: compare(runs.inmesh, runs.plain),
    };
  };
  return { site, run };
}

function nameOf(pathology: PathologyName | Pathology): string {
  return typeof pathology === 'string' ? pathology : 'own';
}

/** The first service that has endpoints. */
function serviceOf({ endpoints }: SimConfig): string {
  for (const [name, own] of endpoints) if (own.length > 0) return name;
  throw new TypeError('no service of the configuration has endpoints; nothing can be simulated');
}

function live(site: OpenSite, config: MeshConfig, plan: PathologyPlan): Promise<SimulationResult> {
  const { service, clients, durationMs, seed, configOf } = site;
  return simulate({
    config: checkedSource(config),
    configOf: (client) => checkedSource(configOf(client, config)),
    service,
    clients,
    durationMs,
    seed,
    endpoints: { ...site.model, ...plan.model },
    load: { ...site.load, steps: plan.load ?? [] },
    faults: plan.faults ?? [],
    script: [...replacements(site, config, plan), ...(plan.script ?? [])],
  });
}

/** Puts new servers in the place of old ones, and tells every client with a delay of its own. */
function replacements(site: OpenSite, config: MeshConfig, plan: PathologyPlan): NonNullable<SimulationOptions['script']> {
  const { replaced = [], model } = plan;
  const chance = streamOf(site.seed, 'replaced');
  const lags = Array.from({ length: site.clients }, chance);
  const moved = new Map<string, string>();
  return replaced.map(({ atMs, address, lagMs }, i) => ({
    atMs,
    run: ({ meshes, place, endpoint, at, nowMs }: SimWorld) => {
      const fresh = `new-${i + 1}${address.slice(address.lastIndexOf(':'))}`;
      moved.set(address, fresh);
      place(fresh, { ...site.model, ...model }).start();
      endpoint(address).behave('refuse');
      const known = new Map(moved);
      for (const [client, mesh] of meshes.entries()) {
        at(nowMs + (lags[client] ?? 0) * lagMs, () => void mesh.reload(checkedSource(site.configOf(client, config, known))));
      }
    },
  }));
}

function figuresOf(result: SimulationResult, { fromMs, untilMs }: Site, { sick = [] }: PathologyPlan): Omit<TrialRun, 'verdict'> {
  const stats = result.stats(fromMs, untilMs);
  const shares = result.shares(fromMs, untilMs);
  return {
    ...stats,
    goodRps: (stats.goodput * stats.calls * 1_000) / (untilMs - fromMs),
    recoveryMs: result.recoveryMs(untilMs),
    worstShare: sick.length === 0 ? null : sick.reduce((sum, address) => sum + (shares[address] ?? 0), 0),
    series: result.series(),
  };
}
