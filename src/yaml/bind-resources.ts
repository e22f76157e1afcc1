// Reads the documents of other meshes and binds them to the concise form. Loaded only when there is such a document.
import type { MeshConfig } from '../model/config.ts';
import type { ConfigIssue } from '../model/issue.ts';
import type { CheckRegex } from '../model/resolve-match.ts';
import { bind } from './bind.ts';
import type { Written } from './bind-deps.ts';
import type { ReadContext } from './dialect.ts';
import type { Environment } from './interpolate.ts';
import { admitResource, isRead, issuesOf, READERS } from './kinds.ts';
import type { ConfigDocument } from './merge.ts';
import { describeResource, readResource, type Resource } from './resource.ts';
import { World } from './world.ts';

export interface BindResourcesOptions {
  readonly env: Environment;
  readonly lenient: boolean;
  readonly checkRegex: CheckRegex | undefined;
  readonly written: Written;
}

export interface BoundResources {
  /** null: nothing was bound. */
  readonly config: MeshConfig | null;
  readonly issues: readonly ConfigIssue[];
  readonly resources: readonly Resource[];
}

const CLUSTER_DOMAIN_DEFAULT = 'cluster.local';

/** `base` null: the concise form has faults, so the documents are only looked at one by one. */
export function bindResources(
  base: MeshConfig | null,
  documents: readonly ConfigDocument[],
  options: BindResourcesOptions,
): BoundResources {
  const { env, lenient, checkRegex, written } = options;
  const resources = documents.map((document, order) => readResource(document, env, order, lenient, isRead));
  const world = new World();
  for (const resource of resources) {
    if (!admitResource(resource, { lenient, checkRegex }) || world.add(resource)) continue;
    const { group, kind, namespace, name } = resource;
    const first = world.get(group, kind, namespace, name) as Resource;
    resource.report.error(['metadata', 'name'], `${describeResource(first)} has the same name; keep one`);
  }
  if (base === null) return { config: null, issues: resources.flatMap(issuesOf), resources };
  const hasIdentity = base.identity !== null;
  const context: ReadContext = { self: base.self, hasIdentity, lenient, checkRegex, clusterDomain: CLUSTER_DOMAIN_DEFAULT };
  const drafts = READERS.map(({ read }) => read(world, context));
  const config = bind(base, drafts, { context, written });
  return { config, issues: resources.flatMap(issuesOf), resources };
}
