// Who may call, from the concise form to the policies that all dialects have: one for allow, one for deny, one for each authorizer.
import { isHostName, isIpv6, parseHostPort } from './address.ts';
import type { SelfConfig } from './config.ts';
import { type CheckedBody, EXTENSION_PROVIDER_DEFAULTS, type ExtensionProvider } from './extension-provider.ts';
import type { InboundInput } from './input.ts';
import type { AccessRuleInput, CheckedBodyInput, ExtensionProviderInput } from './input-access.ts';
import type { ConfigPath } from './issue.ts';
import type { Report } from './report.ts';
import { toMs } from './resolve-scalar.ts';
import type { SourcePosition } from './route.ts';
import type { AuthorizationPolicy, AuthorizationRule, ConditionMatch, SourceMatch, ValueMatch } from './security.ts';

type Self = Pick<SelfConfig, 'namespace'>;

const NOWHERE: SourcePosition = Object.freeze({ file: '', line: 0, column: 0 });
const SPIFFE = 'spiffe://';

/** Empty: nothing is said about it. */
export function resolveAccess({ allow, deny, ask = [] }: InboundInput, self: Self, report: Report): AuthorizationPolicy[] {
  const policies: AuthorizationPolicy[] = [];
  const add = (action: AuthorizationPolicy['action'], key: string, rules: readonly AuthorizationRule[], provider?: string): void => {
    policies.push({
      kind: 'authorization',
      dialect: 'inmesh',
      name: provider === undefined ? `inbound.${key}` : `inbound.${key}.${provider}`,
      namespace: self.namespace,
      createdAtMs: 0,
      source: report.position(['inbound', key], 'key') ?? NOWHERE,
      scope: { namespace: '', labels: {}, expressions: [] },
      action,
      ...(provider === undefined ? {} : { provider }),
      dryRun: false,
      rules,
    });
  };
  const rulesOf = (key: string, rules: readonly AccessRuleInput[]): AuthorizationRule[] =>
    rules.map((rule, i) => resolveRule(rule, ['inbound', key, i], self, report));
  for (const provider of new Set(ask.map((one) => one.provider))) {
    const own = rulesOf('ask', ask).filter((_, i) => ask[i]?.provider === provider);
    add('custom', 'ask', own, provider);
  }
  if (deny !== undefined) add('deny', 'deny', rulesOf('deny', deny));
  if (allow !== undefined) add('allow', 'allow', rulesOf('allow', allow));
  return policies;
}

function resolveRule(input: AccessRuleInput, path: ConfigPath, self: Self, report: Report): AuthorizationRule {
  const { methods, paths, hosts, ports, headers = {} } = input;
  const operation = {
    ...listed('hosts', hosts),
    ...listed('ports', ports?.map(String)),
    ...listed('methods', methods),
    ...listed('paths', paths),
  };
  return {
    from: sourcesOf(input, path, self, report),
    to: Object.keys(operation).length === 0 ? [] : [operation],
    when: Object.entries(headers).map(
      ([name, value]): ConditionMatch => ({ key: `request.headers[${name.toLowerCase()}]`, ...anyOf([value].flat()) }),
    ),
    source: report.position(path) ?? NOWHERE,
  };
}

/** Callers are named in ways that are different fields of a source, so they are alternatives. */
function sourcesOf({ from, addresses }: AccessRuleInput, path: ConfigPath, { namespace }: Self, report: Report): SourceMatch[] {
  const near = listed('ipBlocks', addresses);
  for (const [i, range] of (addresses ?? []).entries()) {
    const at = [...path, 'addresses', i];
    if (!isRange(range)) report.error(at, `${report.show(at, range)} is no IP address and no range such as 10.0.0.0/8`);
  }
  if (from === undefined) return addresses === undefined ? [] : [near];
  const principals: string[] = [];
  const namespaces: string[] = [];
  const accounts: string[] = [];
  for (const [i, caller] of from.entries()) {
    const [first = '', second, more] = caller.split('/');
    if (caller.startsWith(SPIFFE)) principals.push(caller.slice(SPIFFE.length));
    else if (caller === '*') principals.push(caller);
    else if (
      more !== undefined ||
      first === '' ||
      second === '' ||
      first.includes('*') ||
      (second !== '*' && second?.includes('*') === true)
    ) {
      const message = `${report.show([...path, 'from', i], caller)} is no caller; write account, namespace/account, namespace/*, spiffe://domain/path or *`;
      report.error([...path, 'from', i], message);
    } else if (second === '*') namespaces.push(first);
    else accounts.push(second === undefined ? `${namespace}/${first}` : caller);
  }
  const sources: SourceMatch[] = [];
  if (principals.length > 0) sources.push({ principals: anyOf(principals), ...near });
  if (namespaces.length > 0) sources.push({ namespaces: anyOf(namespaces), ...near });
  if (accounts.length > 0) sources.push({ serviceAccounts: anyOf(accounts), ...near });
  return sources;
}

function isRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const isV4 = /^[0-9.]+$/.test(address) && isHostName(address);
  const most = isV4 ? 32 : 128;
  return (
    (isV4 || isIpv6(address)) && more === undefined && (bits === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= most))
  );
}

function anyOf(values: readonly string[]): ValueMatch {
  return { values, notValues: [] };
}

function listed<K extends string>(name: K, values: readonly string[] | undefined): { readonly [key in K]?: ValueMatch } {
  return values === undefined ? {} : ({ [name]: anyOf(values) } as { readonly [key in K]?: ValueMatch });
}

function resolveBody({ maxRequestBytes, allowPartialMessage = false, packAsBytes = false }: CheckedBodyInput): CheckedBody {
  return { bytesMax: maxRequestBytes, allowsPartial: allowPartialMessage, isBytes: packAsBytes };
}

export function resolveProviders(inputs: readonly ExtensionProviderInput[], report: Report): ExtensionProvider[] {
  const d = EXTENSION_PROVIDER_DEFAULTS;
  const known = new Set<string>();
  return inputs.map((input, i) => {
    const path = ['inbound', 'extensionProviders', i];
    const address = parseHostPort(input.address);
    if (address === null) report.error([...path, 'address'], `${report.show([...path, 'address'], input.address)} is no host:port`);
    if (known.has(input.name)) report.error([...path, 'name'], `there are two authorizers ${report.show([...path, 'name'], input.name)}`);
    known.add(input.name);
    return {
      name: input.name,
      kind: input.kind ?? 'http',
      host: address?.host ?? '',
      port: address?.port ?? 0,
      timeoutMs: toMs(input.timeout, d.timeoutMs),
      failOpen: input.failOpen ?? d.failOpen,
      statusOnError: input.statusOnError ?? d.statusOnError,
      pathPrefix: input.pathPrefix ?? d.pathPrefix,
      includeHeaders: input.includeRequestHeadersInCheck ?? d.includeHeaders,
      additionalHeaders: input.includeAdditionalHeadersInCheck ?? d.additionalHeaders,
      headersToUpstreamOnAllow: input.headersToUpstreamOnAllow ?? d.headersToUpstreamOnAllow,
      headersToDownstreamOnAllow: input.headersToDownstreamOnAllow ?? d.headersToDownstreamOnAllow,
      headersToDownstreamOnDeny: input.headersToDownstreamOnDeny ?? d.headersToDownstreamOnDeny,
      ...(input.includeRequestBodyInCheck === undefined ? {} : { body: resolveBody(input.includeRequestBodyInCheck) }),
    };
  });
}
