// BackendTLSPolicy: a Service that is called over TLS, by which name, trusted on whose word. Where the word cannot be had,
// nothing is sent, and never in plain text. Source: backendtlspolicy_types.go, GEP-1897.
import { X509Certificate } from 'node:crypto';
import type { TlsPolicy } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { PolicyDraft, PolicyParts, Registry } from '../draft.ts';
import { findService, servicePorts } from '../k8s/service-spec.ts';
import { describeResource, mappingOf, type Resource } from '../resource.ts';
import { byAge, fullHost, type World } from '../world.ts';
import { isService } from './check-backend-refs.ts';
import type { BackendTlsSpec } from './policy-spec.ts';
import { GATEWAY_GROUP } from './route-spec.ts';

export interface BackendTls {
  /** Why nothing may be sent to a port of a host, or null. */
  readonly fault: (host: string, port: number | undefined) => string | null;
  readonly policies: (registry: Registry) => PolicyDraft[];
}

/** What holds for a Service, or for one port of it. */
interface Trust {
  readonly resource: Resource;
  readonly path: ConfigPath;
  readonly tls: TlsPolicy;
  readonly fault: string | null;
}

/** Of one Service. */
interface Trusts {
  whole: Trust | undefined;
  readonly ports: Map<number, Trust>;
}

export function readBackendTls(world: World, context: ReadContext): BackendTls {
  const byHost = new Map<string, Trusts>();
  // The oldest first: what comes later finds the place taken.
  for (const resource of [...world.of(GATEWAY_GROUP, 'BackendTLSPolicy')].sort(byAge)) readPolicy(resource, byHost, world, context);
  return {
    fault: (host, port) => {
      const trusts = byHost.get(host);
      const trust = (port === undefined ? undefined : trusts?.ports.get(port)) ?? trusts?.whole;
      return trust?.fault ?? null;
    },
    policies: (registry) => [...byHost].flatMap(([host, trusts]) => policiesOf(host, trusts, registry)),
  };
}

function readPolicy(resource: Resource, byHost: Map<string, Trusts>, world: World, context: ReadContext): void {
  const { targetRefs, options = {} } = resource.spec as unknown as BackendTlsSpec;
  const { report, namespace } = resource;
  if (Object.keys(options).length > 0) report.warn(['spec', 'options'], 'options are of single implementations; none is known here');
  const trusted = trustOf(resource, world);
  for (const [i, ref] of targetRefs.entries()) {
    const path: ConfigPath = ['spec', 'targetRefs', i];
    if (!isService(ref)) {
      report.warn(path, `a policy is laid on Services here; ${ref.kind} ${ref.name} is called as before`);
      continue;
    }
    const host = fullHost(ref.name, namespace, context.clusterDomain);
    const trusts = byHost.get(host) ?? { whole: undefined, ports: new Map() };
    byHost.set(host, trusts);
    const trust = { resource, path, ...trusted };
    const { sectionName = '' } = ref;
    const port = sectionName === '' ? undefined : portNamed(sectionName, namespace, ref.name, world);
    const before = port === undefined ? trusts.whole : trusts.ports.get(port);
    if (sectionName !== '' && port === undefined) {
      report.warn(
        [...path, 'sectionName'],
        `no Service ${namespace}/${ref.name} with a port named ${sectionName} is loaded, so the policy does nothing there`,
      );
    } else if (before !== undefined) {
      const message = `${describeResource(before.resource)} is laid on ${ref.name}${sectionName === '' ? '' : ` (${sectionName})`} already; keep one`;
      settle(context, trust, `${message}${context.lenient ? ': the oldest is used' : ''}`, 'INM0012');
    } else if (port === undefined) trusts.whole = trust;
    else trusts.ports.set(port, trust);
  }
}

function portNamed(name: string, namespace: string, service: string, world: World): number | undefined {
  const found = findService(world, namespace, service);
  return found === undefined ? undefined : servicePorts(found).find(({ spec }) => spec.name === name)?.spec.port;
}

/** A name that no certificate shows: every handshake fails. */
const NOBODY = 'no-certificate-is-trusted.invalid';

function trustOf(resource: Resource, world: World): Pick<Trust, 'tls' | 'fault'> {
  const { hostname, subjectAltNames = [], wellKnownCACertificates } = (resource.spec as unknown as BackendTlsSpec).validation;
  const base: TlsPolicy = { mode: 'simple', serverName: hostname };
  const names = subjectAltNames.map(({ type, hostname: host = '', uri = '' }) => (type === 'URI' ? uri : host));
  const named: TlsPolicy = names.length === 0 ? base : { ...base, subjectAltNames: names };
  if (wellKnownCACertificates === 'System') return { tls: named, fault: null };
  const ca = certificatesOf(resource, world);
  if (ca !== '') return { tls: { ...named, ca }, fault: null };
  const fault = `${describeResource(resource)} names no certificate that can be had`;
  return { tls: { ...base, subjectAltNames: [NOBODY] }, fault };
}

const KEY = 'ca.crt';

/** All that can be had; '' when that is none. */
function certificatesOf(resource: Resource, world: World): string {
  const { caCertificateRefs = [], wellKnownCACertificates } = (resource.spec as unknown as BackendTlsSpec).validation;
  const { report, namespace } = resource;
  const path: ConfigPath = ['spec', 'validation'];
  const fail = (at: ConfigPath, reason: string): string => {
    report.warn([...path, ...at], `${reason}; its calls are answered with an error, never sent in plain text`);
    return '';
  };
  if (caCertificateRefs.length === 0) {
    return fail(
      ['wellKnownCACertificates'],
      `the certificates ${report.show([], wellKnownCACertificates)} are not known here; there is System`,
    );
  }
  return caCertificateRefs
    .map(({ group, kind, name }, i) => {
      const at: ConfigPath = ['caCertificateRefs', i];
      if (group !== '' || kind !== 'ConfigMap')
        return fail(at, `certificates are taken from a ConfigMap, not from ${kind} of ${group || 'Kubernetes'}`);
      const found = world.get('', 'ConfigMap', namespace, name);
      if (found === undefined)
        return fail(at, `the ConfigMap ${namespace}/${name} is not loaded; put its document beside this one, with ${KEY} in data`);
      const pem = mappingOf(found.value.data)[KEY];
      if (typeof pem !== 'string') return fail(at, `${describeResource(found)} has no ${KEY} in data`);
      return arePems(pem) ? pem : fail(at, `${KEY} of ${describeResource(found)} holds no certificate that can be read`);
    })
    .filter((pem) => pem !== '')
    .join('\n');
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function arePems(text: string): boolean {
  const blocks = text.match(PEM) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch {
    return false;
  }
  return blocks.length > 0;
}

/** A port with a policy of its own is apart from the rest. */
function policiesOf(host: string, { whole, ports }: Trusts, registry: Registry): PolicyDraft[] {
  const known = registry.find({ host });
  const draft = ({ resource, path, tls }: Trust, more: Partial<PolicyDraft>): PolicyDraft => ({
    dialect: 'gateway-api',
    host,
    resource,
    path,
    policy: { tls },
    ...more,
  });
  if (known.length > 0 && known.every(({ port }) => port !== undefined)) {
    return known.flatMap(({ port }) => {
      const trust = ports.get(port as number) ?? whole;
      return trust === undefined ? [] : [draft(trust, { port: port as number })];
    });
  }
  const first = whole ?? [...ports.values()][0];
  if (first === undefined) return [];
  const own: Record<number, PolicyParts> = Object.fromEntries([...ports].map(([port, { tls }]) => [port, { policy: { tls } }] as const));
  return [draft(first, { ...(whole === undefined ? { policy: {} } : {}), ...(ports.size === 0 ? {} : { ports: own }) })];
}
