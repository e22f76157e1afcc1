// A service of a configuration as a place where things can go wrong: its endpoints as models with room to spare, its
// callers spread over the zones, and a stretch of time for the trouble. What goes wrong there it does not know.
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import type { EndpointConfig } from '../model/destination.ts';
import type { EndpointModel } from './fake-endpoint.ts';
import { keyHeaders } from './key-headers.ts';
import type { LoadModel } from './load.ts';
import { plainConfig } from './plain-config.ts';
import { checkedSource, type SimConfig } from './sim-config.ts';
import { simulate } from './simulate.ts';

export interface SiteOptions {
  /** Processes that call, each with a mesh of its own. @default 10 */
  readonly clients?: number;
  /** Calls a second of all clients together. @default 100 for each endpoint, at most 2000 */
  readonly rps?: number;
  /** Length of a run, at least 20 000 ms. What goes wrong does so from a quarter to the half of it. @default 60000 */
  readonly durationMs?: number;
  /** Equal seeds give equal results. @default 1 */
  readonly seed?: number;
}

/** What a pathology can see of the place where it happens. */
export interface Site extends Required<SiteOptions> {
  readonly service: string;
  /** Those that calls reach, in the order of the configuration. */
  readonly endpoints: readonly Pick<EndpointConfig, 'address' | 'labels' | 'locality'>[];
  /** Calls a second that keep the busiest endpoint busy all the time. */
  readonly capacityRps: number;
  /** When the trouble begins and ends. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of every endpoint. */
  readonly model: EndpointModel & { readonly workers: number };
  readonly load: LoadModel;
}

/** A site and the way to call there. */
export interface OpenSite extends Site {
  /** The configuration of a client, some endpoints replaced: old address → new. */
  readonly configOf: (client: number, config: MeshConfig, moved?: ReadonlyMap<string, string>) => MeshConfig;
}

export const DURATION_MS_MIN = 20_000;
const DURATION_MS_DEFAULT = 60_000;
const CLIENTS_DEFAULT = 10;
const RPS_OF_ENDPOINT = 100;
const RPS_DEFAULT_MAX = 2_000;
const SERVICE_MS = 20;
/** What a server is busy of its time when all is well: of two, one alone must be able to go on. */
const UTILIZATION = 0.4;

/** How long is looked who gets which calls, and at how many of them. */
const LOOK_MS = 5_000;
const LOOK_RPS_MIN = 1_000;
const LOOK_RPS_OF_ENDPOINT = 40;
/** Deviations of a count that may be chance. */
const CHANCE = 2.5;

/** Rejects with a TypeError when no call of the service reaches an endpoint. */
export async function openSite(from: SimConfig, service: string, options: SiteOptions = {}): Promise<OpenSite> {
  const own = from.endpoints.get(service) ?? [];
  const { clients = CLIENTS_DEFAULT, durationMs = DURATION_MS_DEFAULT, seed = 1 } = options;
  const { rps = Math.min(RPS_DEFAULT_MAX, RPS_OF_ENDPOINT * Math.max(1, own.length)) } = options;
  const headers = keyHeaders(from.config);
  const load: LoadModel = { rps, ...(headers === undefined ? {} : { headers }) };
  const zones = [...new Set(own.map(zoneOf).filter((zone) => zone !== ''))];
  const configOf: OpenSite['configOf'] = (client, config, moved) => {
    const placed = zones.length < 2 ? config : { ...config, self: { ...config.self, locality: zones[client % zones.length] as string } };
    return moved === undefined || moved.size === 0 ? placed : replaced(placed, moved);
  };
  const counts = await countsOf(from, service, { clients, seed, load, configOf });
  const endpoints = [...new Map([...from.endpoints.values()].flat().map((endpoint) => [endpoint.address, endpoint])).values()].filter(
    ({ address }) => (counts.get(address) ?? 0) > 0,
  );
  if (endpoints.length === 0) throw new TypeError(`no call to service "${service}" reaches an endpoint; nothing can be simulated`);
  const shareMost = busiest(counts.values());
  // Every server is as big as the busiest one must be, as if people had counted. Workers are whole, so the time gives way.
  const wanted = (shareMost * rps * SERVICE_MS) / 1_000 / UTILIZATION;
  const workers = Math.max(1, Math.round(wanted));
  const serviceMs = wanted < 1 ? SERVICE_MS : (SERVICE_MS * workers) / wanted;
  return {
    service,
    endpoints,
    clients,
    rps,
    durationMs,
    seed,
    capacityRps: (workers * 1_000) / serviceMs / shareMost,
    fromMs: durationMs / 4,
    untilMs: durationMs / 2,
    model: { workers, serviceMs },
    load,
    configOf,
  };
}

/** `region/zone` of `region/zone/subzone`. */
export function zoneOf({ locality }: Pick<EndpointConfig, 'locality'>): string {
  return locality.split('/').slice(0, 2).join('/');
}

/** Who gets how many calls by routes and weights alone: what a balancer makes of a world must not make the world. */
async function countsOf(
  { config, endpoints }: SimConfig,
  service: string,
  { clients, seed, load, configOf }: Pick<OpenSite, 'clients' | 'seed' | 'load' | 'configOf'>,
): Promise<ReadonlyMap<string, number>> {
  const plain = plainConfig(config);
  const result = await simulate({
    config: checkedSource(plain),
    configOf: (client) => checkedSource(configOf(client, plain)),
    service,
    clients,
    endpoints: { workers: Number.MAX_SAFE_INTEGER },
    load: { ...load, rps: Math.max(LOOK_RPS_MIN, LOOK_RPS_OF_ENDPOINT * (endpoints.get(service)?.length ?? 0)) },
    durationMs: LOOK_MS,
    seed,
  });
  const calls = result.attemptTimes(() => true).length;
  return new Map(Object.entries(result.shares()).map(([address, share]) => [address, share * calls]));
}

/** Share of the endpoint that gets the most calls; what may be chance is taken off, or the more endpoints, the busier the busiest. */
function busiest(counts: Iterable<number>): number {
  const each = [...counts];
  const calls = each.reduce((sum, count) => sum + count, 0);
  const most = Math.max(...each) / calls;
  return Math.max(1 / each.length, most - CHANCE * Math.sqrt((most * (1 - most)) / calls));
}

function replaced(config: MeshConfig, moved: ReadonlyMap<string, string>): MeshConfig {
  const services: Record<string, ServiceConfig> = {};
  for (const [name, service] of Object.entries(config.services)) {
    const fixed = service.endpoints.kind === 'static' ? service.endpoints.endpoints : [];
    const endpoints = fixed.map((one) => ({ ...one, address: moved.get(one.address) ?? one.address }));
    services[name] = { ...service, endpoints: { kind: 'static', endpoints } };
  }
  return { ...config, services };
}
