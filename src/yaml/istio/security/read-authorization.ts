// AuthorizationPolicy documents to the data that enforcement obeys. They have been checked. Names of service accounts are
// made whole; everything else stays as it is written.
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  ConditionMatch,
  OperationMatch,
  SourceMatch,
  ValueMatch,
} from '../../../model/security.ts';
import { positionIn, type Resource } from '../../resource.ts';
import { isDryRun } from './check-dry-run.ts';
import { headOf, scopeOf } from './policy-scope.ts';
import type { AuthorizationPolicySpec, AuthorizationRuleSpec, ListsSpec } from './security-spec.ts';
import { notName, OPERATION_LISTS, SOURCE_LISTS } from './security-spec.ts';

export function readAuthorization(resource: Resource): AuthorizationPolicy {
  const { action = 'ALLOW', provider, rules = [], ...scope } = resource.spec as AuthorizationPolicySpec;
  return {
    ...headOf(resource),
    kind: 'authorization',
    scope: scopeOf(resource, scope),
    action: action.toLowerCase() as AuthorizationPolicy['action'],
    ...(provider?.name === undefined ? {} : { provider: provider.name }),
    dryRun: isDryRun(resource),
    rules: rules.map((rule, i) => readRule(rule, i, resource)),
  };
}

function readRule({ from = [], to = [], when = [] }: AuthorizationRuleSpec, at: number, resource: Resource): AuthorizationRule {
  return {
    from: from.map(({ source = {} }) => sourceOf(source, resource.namespace)),
    to: to.map(({ operation = {} }): OperationMatch => listsOf(operation, OPERATION_LISTS)),
    when: when.map((condition) => conditionOf(condition, resource.namespace)),
    source: positionIn(resource, ['spec', 'rules', at]),
  };
}

function sourceOf(lists: ListsSpec, namespace: string): SourceMatch {
  const source: SourceMatch = listsOf(lists, SOURCE_LISTS);
  const { serviceAccounts } = source;
  return serviceAccounts === undefined ? source : { ...source, serviceAccounts: inNamespace(serviceAccounts, namespace) };
}

function conditionOf(
  { key, values = [], notValues = [] }: Partial<ConditionMatch> & { readonly key: string },
  namespace: string,
): ConditionMatch {
  const match: ValueMatch = { values, notValues };
  return { key, ...(key === 'source.serviceAccount' ? inNamespace(match, namespace) : match) };
}

function listsOf(lists: ListsSpec, names: readonly string[]): Readonly<Record<string, ValueMatch>> {
  const found: Record<string, ValueMatch> = {};
  for (const name of names) {
    const match = { values: lists[name] ?? [], notValues: lists[notName(name)] ?? [] };
    if (match.values.length + match.notValues.length > 0) found[name] = match;
  }
  return found;
}

/** An account without a namespace is of the namespace of the policy. */
function inNamespace({ values, notValues }: ValueMatch, namespace: string): ValueMatch {
  const whole = (account: string): string => (account.includes('/') ? account : `${namespace}/${account}`);
  return { values: values.map(whole), notValues: notValues.map(whole) };
}
