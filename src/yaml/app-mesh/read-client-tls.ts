// Client policies: how this process, when it is a virtual node itself, speaks TLS to its backends.
// Source: App Mesh API Reference, ClientPolicyTls.
import type { TlsPolicy } from '../../model/destination.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { ReadContext } from '../dialect.ts';
import type { PolicyDraft } from '../draft.ts';
import { AWS_GROUP } from '../headless.ts';
import type { Resource } from '../resource.ts';
import type { ClientTlsSpec, VirtualNodeSpec } from './app-mesh-spec.ts';
import type { MeshObject, MeshObjects } from './mesh-objects.ts';
import { hostOf, portOf } from './read-node.ts';
import { nodesOf } from './read-routes.ts';

type Node = MeshObject<VirtualNodeSpec>;

/** The policy of a backend takes the place of the default. */
export function readClientPolicies(objects: MeshObjects, context: ReadContext): PolicyDraft[] {
  const drafts: PolicyDraft[] = [];
  for (const own of objects.nodes.filter((node) => isSelf(node, context))) {
    const { backends = [], backendDefaults } = own.spec;
    const seen = new Set<string>();
    for (const [i, { virtualService }] of backends.entries()) {
      const { virtualServiceRef, virtualServiceARN, virtualServiceName, clientPolicy } = virtualService;
      const service = objects.service({ ref: virtualServiceRef, arn: virtualServiceARN, name: virtualServiceName }, own.resource);
      const isOwn = clientPolicy?.tls !== undefined;
      const tls = clientPolicy?.tls ?? backendDefaults?.clientPolicy?.tls;
      if (service === undefined || tls === undefined) continue;
      const path = isOwn ? ['backends', i, 'virtualService', 'clientPolicy', 'tls'] : ['backendDefaults', 'clientPolicy', 'tls'];
      for (const node of nodesOf(service, objects)) {
        if (node === undefined || seen.has(node.name)) continue;
        seen.add(node.name);
        drafts.push(...draftsOf(node, tls, [...own.path, ...path], own.resource, context));
      }
    }
  }
  return drafts;
}

/** By the labels of the process, or by its name where there are no pods. */
function isSelf({ resource, spec, name }: Node, { self }: ReadContext): boolean {
  if (resource.group === AWS_GROUP) return self.service !== '' && self.service === name;
  const { matchLabels } = spec.podSelector ?? {};
  if (matchLabels === undefined || resource.namespace !== self.namespace) return false;
  const wanted = Object.entries(matchLabels);
  return wanted.length > 0 && wanted.every(([key, value]) => self.labels[key] === value);
}

function draftsOf(node: Node, tls: ClientTlsSpec, path: ConfigPath, resource: Resource, context: ReadContext): PolicyDraft[] {
  const policy = tlsOf(tls, path, resource, context.lenient);
  const host = hostOf(node, context);
  if (policy === null || host === null) return [];
  const ports = (node.spec.listeners ?? []).map(({ portMapping }) => portMapping.port);
  const meant = tls.ports === undefined ? ports : ports.filter((port) => tls.ports?.includes(port));
  return meant.flatMap((port) =>
    portOf(node, port) === undefined ? [] : [{ host, port, dialect: 'app-mesh' as const, resource, path, policy: { tls: policy } }],
  );
}

/** null: it cannot be kept, and that has been said. */
function tlsOf(
  { enforce = true, certificate, validation }: ClientTlsSpec,
  path: ConfigPath,
  { report }: Resource,
  lenient: boolean,
): TlsPolicy | null {
  const { trust, subjectAlternativeNames } = validation;
  if (!enforce) {
    report.warn([...path, 'enforce'], 'where TLS is not enforced, plain connections are made', { code: 'INM0017' });
    return { mode: 'disable' };
  }
  const foreign = Object.entries({
    'validation.trust.acm': trust.acm,
    'validation.trust.sds': trust.sds,
    'certificate.sds': certificate?.sds,
  }).find(([, value]) => value !== undefined);
  if (foreign !== undefined) {
    const at = [...path, ...foreign[0].split('.')];
    const message = `certificates are read from files alone, not from ${foreign[0].endsWith('acm') ? 'AWS Certificate Manager' : 'SDS'}`;
    if (lenient) report.warn(at, `${message}; this policy is left out`, { part: 'key', code: 'INM0011' });
    else report.error(at, message, { part: 'key', code: 'INM0011' });
    return null;
  }
  const names = subjectAlternativeNames?.match.exact;
  if (names === undefined) {
    report.warn([...path, 'validation'], 'the name of the peer is checked, too: that of the host that is called', { code: 'INM0017' });
  }
  const { file } = certificate ?? {};
  return {
    mode: file === undefined ? 'simple' : 'mutual',
    ...(trust.file === undefined ? {} : { ca: trust.file.certificateChain }),
    ...(file === undefined ? {} : { cert: file.certificateChain, key: file.privateKey }),
    ...(names === undefined ? {} : { subjectAltNames: names }),
  };
}
