// Whether a reference into another namespace is allowed there. Once any ReferenceGrant is loaded, all of them are taken to
// be: what none of them allows is invalid. Without any, the load says nothing about grants, and nothing is refused.
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';
import type { ReferenceGrantSpec } from './policy-spec.ts';
import { GATEWAY_GROUP } from './route-spec.ts';

export interface Reference {
  readonly from: Pick<Resource, 'group' | 'kind' | 'namespace'>;
  readonly to: Pick<Resource, 'group' | 'kind' | 'namespace' | 'name'>;
}

export type MayRefer = (reference: Reference) => boolean;

export function readReferenceGrants(world: World): MayRefer {
  const grants = world.of(GATEWAY_GROUP, 'ReferenceGrant');
  if (grants.length === 0) return () => true;
  return ({ from, to }) =>
    from.namespace === to.namespace ||
    grants.some(({ namespace, spec }) => {
      const allowed = spec as unknown as ReferenceGrantSpec;
      return (
        namespace === to.namespace &&
        allowed.from.some((one) => one.group === from.group && one.kind === from.kind && one.namespace === from.namespace) &&
        allowed.to.some((one) => one.group === to.group && one.kind === to.kind && (one.name === undefined || one.name === to.name))
      );
    });
}
