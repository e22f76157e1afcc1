// Parents, and what calls are sent to. Source: validation rules of BackendObjectReference, ParentReference.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkLabel, checkObjectName } from '../k8s/check-names.ts';
import { checkCount } from './check-text.ts';
import type { BackendObjectSpec, ParentRefSpec } from './route-spec.ts';

export function isService({ group = '', kind = 'Service' }: Pick<BackendObjectSpec, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Service';
}

export function checkBackendObject(ref: BackendObjectSpec, path: ConfigPath, report: Report): void {
  if (isService(ref)) checkLabel(ref.name, [...path, 'name'], report);
  checkLabel(ref.namespace, [...path, 'namespace'], report);
  if (isService(ref) && ref.port === undefined) report.error(path, `a reference to a Service needs port, and that to ${ref.name} has none`);
}

const PARENTS_MAX = 32;

/** A parent that is named twice must be meant in different places. */
export function checkParentRefs(parents: readonly ParentRefSpec[] = [], report: Report): void {
  const path: ConfigPath = ['spec', 'parentRefs'];
  checkCount(parents, PARENTS_MAX, path, report);
  const known = new Map<string, { readonly at: ConfigPath; readonly sections: Set<string>; readonly isWhole: boolean }>();
  for (const [i, { group = '', kind = '', namespace = '', name, sectionName = '', port = '' }] of parents.entries()) {
    const at = [...path, i];
    checkObjectName(name, [...at, 'name'], report);
    if (namespace !== '') checkLabel(namespace, [...at, 'namespace'], report);
    const key = JSON.stringify([group, kind, namespace, name]);
    const section = JSON.stringify([sectionName, port]);
    const isWhole = sectionName === '' && port === '';
    const before = known.get(key);
    if (before === undefined) known.set(key, { at, sections: new Set([section]), isWhole });
    else if (before.isWhole || isWhole || before.sections.has(section)) {
      report.error(
        at,
        `the parent ${name} stands at ${report.place(before.at)} already; name different sections or ports of it, or keep one`,
      );
    } else before.sections.add(section);
  }
}
