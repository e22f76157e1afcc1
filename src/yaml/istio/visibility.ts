// Which namespaces see a resource: `exportTo`. Absent means all, `.` its own, `*` all, `~` nobody.
import type { ConfigPath } from '../../model/issue.ts';
import type { Resource } from '../resource.ts';
import { isLabel } from './host-name.ts';

const OWN = '.';
const ALL = '*';
const NOBODY = '~';

export function isVisibleTo(namespace: string, { exportTo = [] }: { readonly exportTo?: readonly string[] }, own: string): boolean {
  if (exportTo.length === 0 || exportTo.includes(ALL)) return true;
  if (exportTo.includes(NOBODY)) return false;
  return exportTo.some((one) => (one === OWN ? own : one) === namespace);
}

export interface ExportRules {
  /** ServiceEntry alone may be shown to nobody. */
  readonly allowsNobody?: boolean;
  /** A DestinationRule for chosen workloads stays at home. */
  readonly staysHome?: boolean;
}

/** Source: istio/istio pkg/config/validation, validateExportTo. */
export function checkExportTo(resource: Resource, exportTo: readonly string[] = [], rules: ExportRules = {}): void {
  const { report, namespace } = resource;
  const seen = new Set<string>();
  for (const [i, one] of exportTo.entries()) {
    const path: ConfigPath = ['spec', 'exportTo', i];
    const name = one === OWN ? namespace : one;
    if (seen.has(name)) report.error(path, `exportTo names ${report.show(path, name)} twice`);
    seen.add(name);
    if (one === OWN || one === ALL || (one === NOBODY && rules.allowsNobody === true) || isLabel(one)) continue;
    report.error(path, `exportTo takes ".", "*" or a namespace, not ${report.show(path, one)}`);
  }
  const alone = [ALL, ...(rules.allowsNobody === true ? [NOBODY] : [])].find((one) => seen.has(one));
  if (alone !== undefined && exportTo.length > 1) {
    report.error(['spec', 'exportTo'], `exportTo has ${JSON.stringify(alone)} and others; keep one`);
  }
  if (rules.staysHome !== true || exportTo.length === 0 || (seen.size === 1 && seen.has(namespace))) return;
  report.error(['spec', 'exportTo'], 'a rule with workloadSelector is not exported beyond its own namespace');
}
