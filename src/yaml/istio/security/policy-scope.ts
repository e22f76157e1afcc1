// Which workloads a security document of Istio is about, and what every one of them has in common.
import type { PolicyHead, WorkloadScope } from '../../../model/security.ts';
import { positionIn, type Resource } from '../../resource.ts';
import type { ScopeSpec } from './security-spec.ts';

/** Policies of this namespace are about every other one, too. Source: Istio meshConfig.rootNamespace. */
export const ROOT_NAMESPACE = 'istio-system';

export function headOf(resource: Resource): PolicyHead {
  const { name, namespace, createdAtMs } = resource;
  return { dialect: 'istio', name, namespace, createdAtMs, source: positionIn(resource, ['metadata', 'name']) };
}

/** Gateways and entries are no workloads, so what is attached to them alone is about nobody here. */
export function scopeOf({ namespace }: Resource, { selector, targetRef, targetRefs = [] }: ScopeSpec): WorkloadScope {
  const targets = targetRef === undefined ? targetRefs : [targetRef];
  const services = targets.filter(({ kind }) => kind === 'Service').map(({ name }) => name);
  const isRoot = namespace === ROOT_NAMESPACE && targets.length === 0;
  return {
    namespace: isRoot ? '' : namespace,
    labels: selector?.matchLabels ?? {},
    expressions: [],
    ...(targets.length === 0 ? {} : { services }),
  };
}
