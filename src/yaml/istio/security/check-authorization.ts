// How the fields of an AuthorizationPolicy hang together. The form has been checked.
// Source: istio/istio pkg/config/validation, ValidateAuthorizationPolicy; crd validation of serviceAccounts.
import type { ConfigPath } from '../../../model/issue.ts';
import { nearest } from '../../../model/nearest.ts';
import type { Report } from '../../../model/report.ts';
import type { Resource } from '../../resource.ts';
import { ATTRIBUTE_NAMES, attributeOf } from './attributes.ts';
import { checkDryRun } from './check-dry-run.ts';
import { checkScope } from './check-scope.ts';
import { accountFault, addressFault, pathFault, portFault, trustDomainFault, type ValueFault } from './check-values.ts';
import type { AuthorizationPolicySpec, AuthorizationRuleSpec, ConditionSpec, ListsSpec } from './security-spec.ts';
import { notName } from './security-spec.ts';

const RULES_MAX = 512;
const ACCOUNTS_MAX = 16;

const FAULTS: Readonly<Record<string, ValueFault>> = Object.freeze({
  ipBlocks: addressFault,
  remoteIpBlocks: addressFault,
  serviceAccounts: accountFault,
  trustDomains: trustDomainFault,
  ports: portFault,
  paths: pathFault,
});

/** What CUSTOM cannot ask, because it comes first. */
const LATE_LISTS: readonly string[] = ['namespaces', 'serviceAccounts', 'trustDomains', 'principals', 'requestPrincipals'];

export function checkAuthorization(resource: Resource): void {
  const { action = 'ALLOW', provider, rules } = resource.spec as AuthorizationPolicySpec;
  const { report } = resource;
  checkDryRun(resource, action);
  checkScope(resource);
  const isSilent = rules === undefined || rules.length === 0;
  if (isSilent && (action === 'DENY' || action === 'CUSTOM')) {
    const message = `${action} without rules never happens; add the empty rule {} if it is meant for every call`;
    report.error(['spec', 'rules'], message);
  }
  if (action === 'CUSTOM' && (provider?.name ?? '') === '') report.error(['spec', 'provider', 'name'], 'CUSTOM needs provider.name');
  if (action !== 'CUSTOM' && provider !== undefined) {
    report.error(['spec', 'provider'], `provider goes with the action CUSTOM alone, not with ${action}`, { part: 'key' });
  }
  if ((rules?.length ?? 0) > RULES_MAX) report.error(['spec', 'rules'], `a policy has at most ${RULES_MAX} rules`);
  for (const [i, rule] of (rules ?? []).entries()) checkRule(rule, ['spec', 'rules', i], action === 'CUSTOM', report);
}

function checkRule({ from, to, when = [] }: AuthorizationRuleSpec, path: ConfigPath, isCustom: boolean, report: Report): void {
  if (from?.length === 0) report.error([...path, 'from'], 'from must not be empty; leave it out if every caller is meant');
  if (to?.length === 0) report.error([...path, 'to'], 'to must not be empty; leave it out if every call is meant');
  for (const [i, { source }] of (from ?? []).entries()) {
    const at: ConfigPath = [...path, 'from', i, 'source'];
    if (source === undefined) continue;
    checkLists(source, at, report);
    checkAccounts(source, at, report);
    if (isCustom) checkLate(source, at, report);
  }
  for (const [i, { operation }] of (to ?? []).entries()) {
    if (operation !== undefined) checkLists(operation, [...path, 'to', i, 'operation'], report);
  }
  for (const [i, condition] of when.entries()) checkCondition(condition, [...path, 'when', i], isCustom, report);
}

function checkLists(lists: ListsSpec, path: ConfigPath, report: Report): void {
  if (!Object.values(lists).some((values) => values !== undefined && values.length > 0)) {
    report.error(path, `${String(path.at(-1))} must not be empty; leave it out if everything is meant`);
  }
  for (const [name, fault] of Object.entries(FAULTS)) {
    for (const key of [name, notName(name)]) checkValues(lists[key], fault, [...path, key], report);
  }
}

function checkValues(values: readonly string[] | undefined, fault: ValueFault | undefined, path: ConfigPath, report: Report): void {
  for (const [i, value] of (values ?? []).entries()) {
    const found = fault?.(value) ?? null;
    if (found !== null) report.error([...path, i], `${report.show([...path, i], value)}: ${found}`);
  }
}

function checkAccounts(lists: ListsSpec, path: ConfigPath, report: Report): void {
  const has = (...names: readonly string[]): boolean => names.some((name) => (lists[name]?.length ?? 0) > 0);
  const accounts = ['serviceAccounts', 'notServiceAccounts'];
  if (has(...accounts) && has('principals', 'notPrincipals', 'namespaces', 'notNamespaces')) {
    report.error(path, 'serviceAccounts cannot be set with namespaces or principals; write two sources');
  }
  for (const key of accounts) {
    if ((lists[key]?.length ?? 0) > ACCOUNTS_MAX) report.error([...path, key], `${key} has at most ${ACCOUNTS_MAX} entries`);
  }
}

function checkLate(lists: ListsSpec, path: ConfigPath, report: Report): void {
  for (const name of LATE_LISTS) {
    for (const key of [name, notName(name)]) {
      if ((lists[key]?.length ?? 0) > 0) report.error([...path, key], `${key} is not known yet where CUSTOM is decided`, { part: 'key' });
    }
  }
}

function checkCondition({ key, values = [], notValues = [] }: ConditionSpec, path: ConfigPath, isCustom: boolean, report: Report): void {
  const found = attributeOf(key);
  const at = [...path, 'key'];
  if (typeof found === 'string') {
    const suggestion = report.isSecret(at) ? undefined : nearest(key, ATTRIBUTE_NAMES);
    report.error(at, `${report.show(at, key)}: ${found}`, { suggestion, allowed: ATTRIBUTE_NAMES });
    return;
  }
  if (values.length + notValues.length === 0) report.error(path, `a condition on ${report.show(at, key)} needs values or notValues`);
  if (isCustom && found.isLate) report.error(at, `${report.show(at, key)} is not known yet where CUSTOM is decided`);
  if (found.isExperimental) {
    report.warn(at, `${report.show(at, key)} is set by filters of Envoy, and there is none: it is always missing`, { code: 'INM0013' });
  }
  checkValues(values, found.fault, [...path, 'values'], report);
  checkValues(notValues, found.fault, [...path, 'notValues'], report);
}
