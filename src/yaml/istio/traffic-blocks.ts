// The blocks of a traffic policy that hold for a port and a subset. A subset replaces block by block; settings of a port
// replace all blocks, those that they leave out included. Source: Istio, MergeSubsetTrafficPolicy.
import type { Origin } from '../draft.ts';
import { portPolicy } from './destination-rules.ts';
import type { TrafficPolicySpec } from './destination-rule-spec.ts';

type BlockSpecs = Pick<
  TrafficPolicySpec,
  'connectionPool' | 'loadBalancer' | 'outlierDetection' | 'tls' | 'retryBudget' | 'tunnel' | 'proxyProtocol'
>;
type BlockName = keyof BlockSpecs;

/** A block and where it was written. */
export interface Block<K extends BlockName> {
  readonly spec: NonNullable<BlockSpecs[K]>;
  readonly origin: Origin;
}

export type Blocks = { readonly [K in BlockName]?: Block<K> };

/** A policy as it was written. */
export interface WrittenPolicy {
  readonly spec: TrafficPolicySpec;
  readonly origin: Origin;
}

const PORT_BLOCKS = ['connectionPool', 'loadBalancer', 'outlierDetection', 'tls'] as const;
const BLOCKS = [...PORT_BLOCKS, 'retryBudget', 'tunnel', 'proxyProtocol'] as const;

/** `port` undefined: any that has no settings of its own. */
export function blocksFor(top: WrittenPolicy | undefined, subset: WrittenPolicy | undefined, port: number | undefined): Blocks {
  const base = blocksOf(top, port);
  if (subset === undefined) return base;
  const own = blocksOf(subset, port);
  if (portPolicy(subset.spec, port) === undefined) return { ...base, ...own };
  const kept = Object.fromEntries(Object.entries(base).filter(([name]) => !PORT_BLOCKS.includes(name as (typeof PORT_BLOCKS)[number])));
  return { ...kept, ...own };
}

function blocksOf(policy: WrittenPolicy | undefined, port: number | undefined): Blocks {
  if (policy === undefined) return {};
  const { spec, origin } = policy;
  const settings = portPolicy(spec, port);
  const index = settings === undefined ? -1 : (spec.portLevelSettings ?? []).indexOf(settings);
  const [source, path]: [BlockSpecs, Origin['path']] =
    settings === undefined ? [spec, origin.path] : [settings, [...origin.path, 'portLevelSettings', index]];
  const names: readonly BlockName[] = settings === undefined ? BLOCKS : PORT_BLOCKS;
  const blocks = names.flatMap((name) => {
    const block = source[name];
    return block === undefined ? [] : [[name, { spec: block, origin: { resource: origin.resource, path: [...path, name] } }] as const];
  });
  return Object.fromEntries(blocks) as Blocks;
}

/** Ports that have settings of their own. */
export function portsOf(policies: readonly (WrittenPolicy | undefined)[]): number[] {
  const numbers = policies.flatMap((policy) => (policy?.spec.portLevelSettings ?? []).flatMap(({ port }) => port?.number ?? []));
  return [...new Set(numbers)].sort((a, b) => a - b);
}
