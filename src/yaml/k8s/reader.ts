// Kubernetes' own documents, as far as they name hosts, ports, endpoints, and certificates that others refer to.
import type { DialectReader, Kind, ReadContext } from '../dialect.ts';
import { NOTHING } from '../dialect.ts';
import type { Drafts } from '../draft.ts';
import type { World } from '../world.ts';
import { checkEndpointSlice } from './check-endpoint-slice.ts';
import { checkMetadata, checkService } from './check-names.ts';
import { readServices } from './read-services.ts';
import { configMapSchema, endpointSliceSchema, serviceAccountSchema, serviceSchema } from './schema-kubernetes.ts';

const KINDS: readonly Kind[] = Object.freeze([
  { group: '', kind: 'Service', versions: ['v1'], schema: serviceSchema, check: checkService },
  { group: '', kind: 'ServiceAccount', versions: ['v1'], schema: serviceAccountSchema, check: checkMetadata },
  { group: '', kind: 'ConfigMap', versions: ['v1'], schema: configMapSchema, check: checkMetadata },
  { group: 'discovery.k8s.io', kind: 'EndpointSlice', versions: ['v1beta1', 'v1'], schema: endpointSliceSchema, check: checkEndpointSlice },
]);

function read(world: World, context: ReadContext): Drafts {
  return { ...NOTHING, backends: readServices(world, context) };
}

export const kubernetesReader: DialectReader = Object.freeze({ dialect: 'kubernetes', kinds: KINDS, read });
