// Documents that do not say what they are, and can be told by their shape: what the AWS CLI prints of App Mesh, or takes.
// Knows nothing of what they mean.
import type { ConfigPath } from '../model/issue.ts';
import type { Located, LocatedMap } from './located.ts';
import { nodeAt } from './located.ts';

/** What a document with apiVersion, kind and metadata says in so many words. */
export interface Head {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** Where the fields stand that are its own: at the top, or under the key that the CLI puts before them. */
  readonly path: ConfigPath;
}

export const AWS_GROUP = 'appmesh.aws';
/** That of the API. */
export const AWS_VERSION = 'v20190125';

/** Key that the CLI puts before the fields, kind, and the fields that make up the name. */
const SHAPES = [
  { key: 'route', kind: 'Route', names: ['virtualRouterName', 'routeName'] },
  { key: 'virtualRouter', kind: 'VirtualRouter', names: ['virtualRouterName'] },
  { key: 'virtualService', kind: 'VirtualService', names: ['virtualServiceName'] },
  { key: 'virtualNode', kind: 'VirtualNode', names: ['virtualNodeName'] },
] as const;

/** What a route spec consists of; alone, it does not say whose it is. */
const SPEC_KEYS: ReadonlySet<string> = new Set(['httpRoute', 'http2Route', 'grpcRoute', 'tcpRoute', 'priority']);

/** null: it is none of them. Its namespace is its mesh. */
export function headOf(root: Located): Head | null {
  if (root.kind !== 'map' || root.entries.size === 0) return null;
  if ([...root.entries.keys()].every((key) => SPEC_KEYS.has(key))) {
    return { group: AWS_GROUP, version: AWS_VERSION, kind: 'RouteSpec', name: 'spec', namespace: '', path: [] };
  }
  for (const { key, kind, names } of SHAPES) {
    const inner = nodeAt(root, [key]);
    const [fields, path]: [LocatedMap, ConfigPath] = inner?.kind === 'map' && root.entries.size === 1 ? [inner, [key]] : [root, []];
    const mesh = textAt(fields, 'meshName');
    const parts = names.map((name) => textAt(fields, name));
    if (mesh === null || nodeAt(fields, ['spec']) === undefined || parts.includes(null)) continue;
    return { group: AWS_GROUP, version: AWS_VERSION, kind, name: parts.join('/'), namespace: mesh, path };
  }
  return null;
}

function textAt(fields: LocatedMap, key: string): string | null {
  const node = nodeAt(fields, [key]);
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value !== '' ? node.value : null;
}
