// What only a document of another mesh says. It stays behind when its configuration moves on to another form, so it is
// named, with what the readers have found in it that nobody here obeys.
import { formatPath } from '../../model/issue.ts';
import { positionAt } from '../frame.ts';
import type { LossReport } from '../losses.ts';
import { fullName, mappingOf, type Resource } from '../resource.ts';

/** Codes of findings about what is read over: nothing of it is in the configuration. */
const READ_OVER: ReadonlySet<string> = new Set(['INM0011', 'INM0020', 'INM0021', 'INM0022']);

/** Code of findings about what is carried, and not to the letter. */
const NEARLY = 'INM0017';

/** Groups that say whom a process lets in. */
const SECURITY_GROUPS: ReadonlySet<string> = new Set(['security.istio.io', 'policy.linkerd.io', 'access.smi-spec.io']);

/** `advice`: what to do about it. */
export function reportLeftBehind(resource: Resource, report: LossReport, advice: string): void {
  const { kind, document } = resource;
  const what = `${kind} ${fullName(resource)}`;
  const position = positionAt(document.source, document.root.offset);
  const carried = carriedBy(resource);
  if (carried !== null) {
    const { what: from, fields } = carried;
    report.add({ field: what, also: fields, verdict: 'lost', from, to: '', why: advice, position });
  }
  for (const issue of resource.report.issues) {
    const { code = '', path, message } = issue;
    if (!READ_OVER.has(code) && code !== NEARLY) continue;
    report.add({
      field: `${what}: ${formatPath(path)}`,
      verdict: code === NEARLY ? 'approximated' : 'lost',
      from: 'a field',
      to: '',
      why: message,
      position: issue.position ?? position,
    });
  }
}

interface Carried {
  readonly what: string;
  /** Of the configuration as a whole. */
  readonly fields: readonly string[];
}

/** null: what it says is in the services and their rules. */
function carriedBy({ group, kind, spec }: Resource): Carried | null {
  if (group === 'telemetry.istio.io') return { what: 'what is measured and logged', fields: ['telemetry'] };
  if (group === 'networking.istio.io') {
    if (kind === 'Sidecar') return { what: 'what one workload reaches and takes', fields: ['unknownHosts', 'inbound.limits'] };
    return kind === 'ServiceEntry' && spec.resolution === 'NONE' ? { what: 'hosts that pass', fields: ['passHosts'] } : null;
  }
  if (!SECURITY_GROUPS.has(group) || isOutbound(kind, spec)) return null;
  return { what: 'whom this process lets in', fields: ['inbound.policies', 'inbound.mtls'] };
}

/** A route of Linkerd may be for those who call, or for a Server. */
function isOutbound(kind: string, { parentRefs }: Resource['spec']): boolean {
  if (kind !== 'HTTPRoute') return false;
  const parents: readonly unknown[] = Array.isArray(parentRefs) ? parentRefs : [];
  return !parents.some((parent) => mappingOf(parent).kind === 'Server');
}
