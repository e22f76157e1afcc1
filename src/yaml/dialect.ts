// The port of a dialect: which kinds it reads, and what they say once all documents are known.
import type { SelfConfig } from '../model/config.ts';
import type { CheckRegex } from '../model/resolve-match.ts';
import type { Dialect } from '../model/route.ts';
import type { Schema } from '../model/schema-scalar.ts';
import type { Drafts } from './draft.ts';
import type { Resource } from './resource.ts';
import type { World } from './world.ts';

export interface CheckContext {
  readonly checkRegex?: CheckRegex | undefined;
}

export interface Kind {
  readonly group: string;
  readonly kind: string;
  readonly versions: readonly string[];
  /** Of the whole document, metadata included (see `resourceSchema`). Made when the first such document comes. */
  readonly schema: () => Schema;
  /** How the fields hang together; asked when the schema has found no error. */
  readonly check?: (resource: Resource, context: CheckContext) => void;
  /** Codes of findings about such a document that have none of their own. */
  readonly codes?: { readonly error: string; readonly warning: string };
}

export interface ReadContext extends CheckContext {
  readonly self: SelfConfig;
  /** Whether this process has a certificate. */
  readonly hasIdentity: boolean;
  /** What a mesh settles silently is a warning, and settled as that mesh does it. */
  readonly lenient: boolean;
  /** Suffix of Kubernetes names. @default cluster.local */
  readonly clusterDomain: string;
}

export interface DialectReader {
  readonly dialect: Dialect | 'kubernetes';
  readonly kinds: readonly Kind[];
  /** Reports into the resources; never throws. */
  readonly read: (world: World, context: ReadContext) => Drafts;
}

export const NOTHING: Drafts = Object.freeze({ backends: [], routes: [], policies: [] });
