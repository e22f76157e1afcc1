// Which workloads a policy says it is about: at most one way of saying it, and what it may name.
// Source: istio/istio pkg/config/validation, validateOneOfSelectorType, validateWorkloadSelector, validatePolicyTargetReference.
import type { ConfigPath } from '../../../model/issue.ts';
import { nearest } from '../../../model/nearest.ts';
import type { Resource } from '../../resource.ts';
import type { ScopeSpec, SelectorSpec, TargetRefSpec } from './security-spec.ts';

const LABEL_VALUE_LENGTH_MAX = 63;
const TARGETS_MAX = 16;

/** Kinds that a policy may be attached to, with their groups. */
const TARGET_KINDS: Readonly<Record<string, string>> = Object.freeze({
  Service: '',
  ServiceEntry: 'networking.istio.io',
  Gateway: 'gateway.networking.k8s.io',
  GatewayClass: 'gateway.networking.k8s.io',
});

const GROUP = /^$|^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

export function checkScope(resource: Resource): void {
  const { selector, targetRef, targetRefs = [] } = resource.spec as ScopeSpec;
  const { report } = resource;
  const said = [selector !== undefined, targetRef !== undefined, targetRefs.length > 0].filter(Boolean).length;
  if (said > 1) report.error(['spec'], 'only one of selector, targetRef and targetRefs can be set');
  checkSelector(resource, selector);
  if (targetRef !== undefined) checkTarget(resource, targetRef, ['spec', 'targetRef']);
  if (targetRefs.length > TARGETS_MAX) report.error(['spec', 'targetRefs'], `targetRefs has at most ${TARGETS_MAX} entries`);
  for (const [i, one] of targetRefs.entries()) checkTarget(resource, one, ['spec', 'targetRefs', i]);
}

export function checkSelector({ report }: Resource, selector: SelectorSpec | undefined): void {
  if (selector === undefined) return;
  const { matchLabels = {} } = selector;
  const path: ConfigPath = ['spec', 'selector', 'matchLabels'];
  for (const [key, value] of Object.entries(matchLabels)) {
    if (key.includes('*')) report.error([...path, key], 'a label key of a selector has no wildcard', { part: 'key' });
    if (value.includes('*')) report.error([...path, key], 'a label value of a selector has no wildcard');
    if (value.length > LABEL_VALUE_LENGTH_MAX)
      report.error([...path, key], `a label value has at most ${LABEL_VALUE_LENGTH_MAX} characters`);
  }
  if (Object.keys(matchLabels).length === 0) {
    report.warn(['spec', 'selector'], 'a selector without labels takes every workload; leave it out if that is meant');
  }
}

function checkTarget({ report }: Resource, { group = '', kind, namespace = '' }: TargetRefSpec, path: ConfigPath): void {
  if (namespace !== '') report.error([...path, 'namespace'], 'a target is of the namespace of the policy; leave namespace out');
  const plainGroup = group === 'core' ? '' : group;
  if (!GROUP.test(group)) {
    report.error([...path, 'group'], `${report.show([...path, 'group'], group)} is no API group`);
    return;
  }
  if (Object.hasOwn(TARGET_KINDS, kind) && TARGET_KINDS[kind] === plainGroup) return;
  const allowed = Object.keys(TARGET_KINDS);
  const message = `a policy cannot be attached to ${report.show([...path, 'kind'], kind)} of group ${report.show([...path, 'group'], group)}`;
  report.error([...path, 'kind'], message, { suggestion: nearest(kind, allowed), allowed });
}
