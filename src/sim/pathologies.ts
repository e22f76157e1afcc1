// What goes wrong in the life of a service, by name: who misbehaves, how, from when to when. Pure plans; a trial runs them.
import type { Behavior, EndpointModel } from './fake-endpoint.ts';
import type { LoadModel } from './load.ts';
import type { Fault, SimulationOptions } from './simulate.ts';
import { type Site, zoneOf } from './site.ts';

/** What is different in a world where it happens. */
export interface PathologyPlan {
  readonly faults?: readonly Fault[];
  /** Stretches of other load. */
  readonly load?: NonNullable<LoadModel['steps']>;
  /** What is different about every server. */
  readonly model?: EndpointModel;
  /** Endpoints that are gone at a time, each with a new one in its place, which clients learn of up to `lagMs` later. */
  readonly replaced?: readonly { readonly atMs: number; readonly address: string; readonly lagMs: number }[];
  /** What cannot be said otherwise. */
  readonly script?: NonNullable<SimulationOptions['script']>;
  /** Endpoints that are worse than the others, by address. @default none: all are the same */
  readonly sick?: readonly string[];
}

/** Something that goes wrong. Yours are as good as those here. */
export interface Pathology {
  /** One line for people. */
  readonly title: string;
  /** Without so many it means nothing. @default 1 endpoint, no zone */
  readonly needs?: { readonly endpoints?: number; readonly zones?: number };
  readonly plan: (site: Site) => PathologyPlan;
}

export type PathologyName =
  | 'healthy'
  | 'slow-replica'
  | 'heterogeneous'
  | 'sinkhole'
  | 'partial-errors'
  | 'black-hole'
  | 'zone-loss'
  | 'transient-errors'
  | 'all-slow'
  | 'load-spike'
  | 'overload'
  | 'refuse-all'
  | 'rolling-deploy';

const SEVERAL = { endpoints: 2 } as const;

/** By name, `healthy` first: the baseline of all others. */
export const pathologies: Readonly<Record<PathologyName, Pathology>> = Object.freeze({
  healthy: { title: 'nothing goes wrong', plan: () => ({}) },
  'slow-replica': one('one endpoint is 10 times slower than the others', { slower: 10 }),
  heterogeneous: {
    title: 'half of the endpoints are 2 times slower than the others',
    needs: SEVERAL,
    plan: (site: Site) => sick(site, { slower: 2 }, addressesOf(site).slice(0, site.endpoints.length >> 1)),
  },
  sinkhole: one('one endpoint answers 503 at once', 'failFast'),
  'partial-errors': one('one endpoint answers half of its calls with 503', { errors: 0.5 }),
  'black-hole': one('one endpoint answers nothing at all', 'blackHole'),
  'zone-loss': { title: 'no endpoint of one zone answers', needs: { zones: 2 }, plan: zoneLoss },
  'transient-errors': all('one answer in twenty is a 503, whoever gives it', { errors: 0.05 }),
  'all-slow': all('all endpoints are 4 times slower, too slow for the load', { slower: 4 }),
  'load-spike': load('a quarter more calls than the endpoints can serve', 1.25),
  overload: load('three times the calls that the endpoints can serve', 3),
  'refuse-all': all('no endpoint can be connected to; then all come back cold', 'refuse', { coldStart: { times: 4, forMs: 10_000 } }),
  'rolling-deploy': {
    title: 'each endpoint in turn gives way to a cold one, known late',
    needs: SEVERAL,
    plan: rollingDeploy,
  },
});

/** Names are text in files and on command lines. */
export function isPathologyName(name: string): name is PathologyName {
  return Object.hasOwn(pathologies, name);
}

function addressesOf({ endpoints }: Site): string[] {
  return endpoints.map(({ address }) => address);
}

function one(title: string, is: Behavior): Pathology {
  return { title, needs: SEVERAL, plan: (site) => sick(site, is, addressesOf(site).slice(0, 1)) };
}

function sick({ fromMs, untilMs }: Site, is: Behavior, endpoints: readonly string[]): PathologyPlan {
  return { faults: [{ fromMs, untilMs, endpoints, is }], sick: endpoints };
}

function all(title: string, is: Behavior, model: EndpointModel = {}): Pathology {
  const plan = (site: Site): PathologyPlan => {
    const { fromMs, untilMs } = site;
    return { faults: [{ fromMs, untilMs, endpoints: addressesOf(site), is }], model };
  };
  return { title, plan };
}

/** So much of what the servers can do. */
function load(title: string, ofCapacity: number): Pathology {
  const plan = ({ fromMs, untilMs, capacityRps, rps }: Site): PathologyPlan => ({
    load: [{ fromMs, untilMs, times: (ofCapacity * capacityRps) / rps }],
  });
  return { title, plan };
}

function zoneLoss(site: Site): PathologyPlan {
  const located = site.endpoints.filter(({ locality }) => locality !== '');
  const lost = located.filter((endpoint, _, [first = endpoint]) => zoneOf(endpoint) === zoneOf(first));
  return sick(
    site,
    'blackHole',
    lost.map(({ address }) => address),
  );
}

/** The old ones are gone at once: no drain, as when nobody has thought of it. */
function rollingDeploy(site: Site): PathologyPlan {
  const { fromMs, untilMs } = site;
  const addresses = addressesOf(site);
  const stepMs = (untilMs - fromMs) / addresses.length;
  return {
    model: { coldStart: { times: 10, forMs: 5_000 } },
    replaced: addresses.map((address, i) => ({ atMs: fromMs + i * stepMs, address, lagMs: 2_000 })),
  };
}
