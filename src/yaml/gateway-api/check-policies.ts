// How the fields of the policies hang together. Source: validation rules of BackendTLSPolicy, XBackendTrafficPolicy.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import { checkMetadata, checkObjectName } from '../k8s/check-names.ts';
import type { Resource } from '../resource.ts';
import { checkSession } from './check-session.ts';
import { checkCount, checkHostname, checkSpan, checkWildcardHostname } from './check-text.ts';
import type { BackendTlsSpec, BackendTrafficSpec, TargetRefSpec } from './policy-spec.ts';

const TARGETS_MAX = 16;
const CERTIFICATES_MAX = 8;
const NAMES_MAX = 5;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

export function checkBackendTlsPolicy(resource: Resource): void {
  const { spec, report } = resource;
  checkMetadata(resource);
  const { targetRefs, validation } = spec as unknown as BackendTlsSpec;
  const { caCertificateRefs = [], wellKnownCACertificates = '', hostname, subjectAltNames = [] } = validation;
  const path: ConfigPath = ['spec', 'validation'];
  checkTargets(targetRefs, report);
  checkHostname(hostname, [...path, 'hostname'], report);
  checkCount(caCertificateRefs, CERTIFICATES_MAX, [...path, 'caCertificateRefs'], report);
  checkCount(subjectAltNames, NAMES_MAX, [...path, 'subjectAltNames'], report);
  if (caCertificateRefs.length > 0 && wellKnownCACertificates !== '') {
    report.error([...path, 'wellKnownCACertificates'], 'caCertificateRefs and wellKnownCACertificates exclude each other; keep one');
  } else if (caCertificateRefs.length === 0 && wellKnownCACertificates === '') {
    report.error(path, 'validation needs caCertificateRefs, or wellKnownCACertificates: System');
  }
  for (const [i, name] of subjectAltNames.entries()) {
    const at = [...path, 'subjectAltNames', i];
    const [wanted, other] = name.type === 'URI' ? (['uri', 'hostname'] as const) : (['hostname', 'uri'] as const);
    const value = name[wanted] ?? '';
    if (value === '') report.error(at, `a subject alternative name of type ${name.type} needs ${wanted}`);
    else if (name.type === 'Hostname') checkWildcardHostname(value, [...at, wanted], report);
    else if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+/i.test(value)) {
      report.error([...at, wanted], `${report.show([...at, wanted], value)} is no URI with scheme and authority`);
    }
    if ((name[other] ?? '') !== '') report.error([...at, other], `${other} does not go with type ${name.type}`, { part: 'key' });
  }
}

/** The same target twice is meant only by its different sections. */
function checkTargets(targets: readonly TargetRefSpec[], report: Report): void {
  const path: ConfigPath = ['spec', 'targetRefs'];
  checkCount(targets, TARGETS_MAX, path, report);
  if (targets.length === 0) report.error(path, 'a policy needs something it is laid on');
  const known = new Map<string, { readonly at: ConfigPath; readonly sections: Set<string> }>();
  for (const [i, { group, kind, name, sectionName = '' }] of targets.entries()) {
    checkObjectName(name, [...path, i, 'name'], report);
    const key = JSON.stringify([group, kind, name]);
    const before = known.get(key);
    if (before === undefined) known.set(key, { at: [...path, i], sections: new Set([sectionName]) });
    else if (sectionName === '' || before.sections.has('') || before.sections.has(sectionName)) {
      report.error(
        [...path, i],
        `${kind} ${name} stands at ${report.place(before.at)} already; name different sections of it, or keep one`,
      );
    } else before.sections.add(sectionName);
  }
}

export function checkBackendTrafficPolicy(resource: Resource): void {
  const { spec, report } = resource;
  checkMetadata(resource);
  const { targetRefs, retryConstraint = {}, sessionPersistence } = spec as unknown as BackendTrafficSpec;
  checkTargets(targetRefs, report);
  for (const part of ['budget', 'minRetryRate'] as const) {
    const at: ConfigPath = ['spec', 'retryConstraint', part, 'interval'];
    const ms = checkSpan(retryConstraint[part]?.interval, at, report);
    const leastMs = part === 'budget' ? SECOND_MS : 1;
    if (ms !== null && (ms < leastMs || ms > HOUR_MS))
      report.error(at, `an interval is at least ${leastMs === 1 ? '1ms' : '1s'} and at most 1h`);
  }
  if (sessionPersistence !== undefined) checkSession(sessionPersistence, ['spec', 'sessionPersistence'], report);
}
