// Istio's security documents: who may call this process. They are read, checked and kept; inbound/ obeys them.
import type { PeerAuthenticationPolicy, SecurityPolicy } from '../../../model/security.ts';
import { settle } from '../../bind-deps.ts';
import { type DialectReader, type Kind, NOTHING, type ReadContext } from '../../dialect.ts';
import type { Drafts, MeshDraft } from '../../draft.ts';
import { describePosition, type Resource } from '../../resource.ts';
import { byAge, type World } from '../../world.ts';
import { checkPeerAuthentication, checkRequestAuthentication } from './check-authentication.ts';
import { checkAuthorization } from './check-authorization.ts';
import { readPeerAuthentication, readRequestAuthentication } from './read-authentication.ts';
import { readAuthorization } from './read-authorization.ts';
import { authorizationPolicySchema, peerAuthenticationSchema, requestAuthenticationSchema } from './schema-security.ts';

const GROUP = 'security.istio.io';
const VERSIONS: readonly string[] = ['v1beta1', 'v1'];
/** SchemaValidationError and SchemaWarning of istioctl. */
const CODES: Kind['codes'] = { error: 'IST0106', warning: 'IST0133' };

const KINDS: readonly Kind[] = [
  { kind: 'AuthorizationPolicy', schema: authorizationPolicySchema, check: checkAuthorization },
  { kind: 'PeerAuthentication', schema: peerAuthenticationSchema, check: checkPeerAuthentication },
  { kind: 'RequestAuthentication', schema: requestAuthenticationSchema, check: checkRequestAuthentication },
].map((one) => ({ ...one, group: GROUP, versions: VERSIONS, codes: CODES }));

export const istioSecurityReader: DialectReader = {
  dialect: 'istio',
  kinds: KINDS,
  read: (world, context) => {
    const mesh = [
      ...read(world, 'AuthorizationPolicy', readAuthorization),
      ...peers(world, context),
      ...read(world, 'RequestAuthentication', readRequestAuthentication),
    ];
    return mesh.length === 0 ? NOTHING : ({ ...NOTHING, mesh } satisfies Drafts);
  },
};

function read(world: World, kind: string, reader: (resource: Resource) => SecurityPolicy): MeshDraft[] {
  return [...world.of(GROUP, kind)].sort(byAge).map((resource) => draftOf(resource, reader(resource)));
}

/** Of several for the same workloads the oldest holds, and Istio says nothing. */
function peers(world: World, context: ReadContext): MeshDraft[] {
  const first = new Map<string, PeerAuthenticationPolicy>();
  return [...world.of(GROUP, 'PeerAuthentication')].sort(byAge).map((resource) => {
    const policy = readPeerAuthentication(resource);
    const { scope, level } = policy;
    const key = JSON.stringify([level, scope.namespace, Object.entries(scope.labels).sort()]);
    const before = first.get(key);
    if (before === undefined) first.set(key, policy);
    else {
      const message = `the connections of these workloads are decided twice, first at ${describePosition(before.source)}; keep one`;
      const origin = { resource, path: ['metadata', 'name'] };
      settle(context, origin, `${message}${context.lenient ? ': the oldest is used' : ''}`, 'INM0012');
    }
    return draftOf(resource, policy);
  });
}

function draftOf(resource: Resource, policy: SecurityPolicy): MeshDraft {
  return { dialect: 'istio', resource, path: ['metadata', 'name'], fields: {}, inbound: { policies: [policy] } };
}
