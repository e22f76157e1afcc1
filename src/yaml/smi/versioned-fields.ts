// Where a version of SMI keeps its fields: at the top of the document at first, under `spec` later.
import type { ConfigPath } from '../../model/issue.ts';
import type { Mapping, Resource } from '../resource.ts';
import { generation, type HttpMatchSpec, type TrafficTargetSpec } from './smi-spec.ts';

/** Where the field stands, given the first version that has it under `spec`. Says so when it stands elsewhere. */
export function prefixOf(resource: Resource, key: string, since: number): ConfigPath {
  return hasSpec(resource, since) ? ['spec', key] : [key];
}

function hasSpec({ version }: Resource, since: number): boolean {
  return generation(version) >= since;
}

/** The mapping that holds the fields. */
function holder(resource: Resource, since: number, keys: readonly string[]): Mapping {
  const { value, spec, report, version } = resource;
  const [right, wrong] = hasSpec(resource, since) ? [spec, value] : [value, spec];
  for (const key of keys) {
    if (wrong[key] === undefined) continue;
    const isUnder = right === spec;
    const place = isUnder ? 'under spec' : 'at the top';
    report.error(isUnder ? [key] : ['spec', key], `in ${version} ${key} stands ${place}`, { part: 'key' });
  }
  return right;
}

export function matchesOf(resource: Resource): readonly HttpMatchSpec[] {
  return (holder(resource, 3, ['matches']).matches ?? []) as readonly HttpMatchSpec[];
}

/** `rules` whatever the version calls them. */
export function fieldsOf(resource: Resource): TrafficTargetSpec {
  const fields = holder(resource, 2, ['destination', 'sources', 'rules']) as TrafficTargetSpec;
  if (generation(resource.version) > 1) return fields;
  const { rules, specs } = fields;
  if (rules !== undefined) resource.report.error(['rules'], `${resource.version} calls them specs`, { part: 'key' });
  return { ...fields, rules: specs ?? [] };
}
