// The annotation that lets a policy only be recorded. Source: istio/istio pkg/config/validation, checkDryRunAnnotation.
import type { Resource } from '../../resource.ts';

const DRY_RUN = 'istio.io/dry-run';

/** What Go's strconv.ParseBool takes. */
const BOOLEANS: Readonly<Record<string, boolean>> = Object.freeze({
  '1': true,
  t: true,
  T: true,
  TRUE: true,
  true: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  FALSE: false,
  false: false,
  False: false,
});

export function isDryRun({ annotations }: Resource): boolean {
  return BOOLEANS[annotations[DRY_RUN] ?? 'false'] === true;
}

/** `action` absent: a kind that has no dry run. */
export function checkDryRun({ annotations, report, kind }: Resource, action?: string): void {
  const value = annotations[DRY_RUN];
  if (value === undefined) return;
  const path = ['metadata', 'annotations', DRY_RUN];
  if (action === undefined) report.error(path, `a ${kind} has no dry run; take the annotation away`, { part: 'key' });
  else if (action !== 'ALLOW' && action !== 'DENY')
    report.error(path, `only ALLOW and DENY have a dry run, not ${action}`, { part: 'key' });
  else if (!Object.hasOwn(BOOLEANS, value)) report.error(path, `${DRY_RUN} is "true" or "false", not ${report.show(path, value)}`);
}
