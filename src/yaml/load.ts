// From a file, a list of files or a folder to a configuration, or to issues with positions and code frames. The order:
// read, parse, put variables in, merge, resolve. Never rejects, whatever the files hold.
import { createHash } from 'node:crypto';
import type { MeshConfig } from '../model/config.ts';
import type { ConfigIssue, ConfigPath, PathPart } from '../model/issue.ts';
import type { CheckRegex } from '../model/resolve-match.ts';
import { resolveConfig } from '../model/resolve.ts';
import type { SourcePosition } from '../model/route.ts';
import type { Written } from './bind-deps.ts';
import type { BoundResources } from './bind-resources.ts';
import { documentParser } from './document.ts';
import type { FileText, ReadFile } from './files.ts';
import { namesServiceConfigs, readServiceConfigs } from './grpc/service-config-files.ts';
import { readFiles } from './files.ts';
import { framed } from './format.ts';
import type { SourceText } from './frame.ts';
import { positionAt, sourceText } from './frame.ts';
import type { Environment } from './interpolate.ts';
import { withItems } from './list-items.ts';
import type { ConfigDocument, MergedDocuments } from './merge.ts';
import { mergeDocuments, pathKey } from './merge.ts';
import type { Resource } from './resource.ts';
import { isResource } from './resource.ts';

export { parseEndpointsFile } from './endpoints-file.ts';
export { formatIssues } from './format.ts';
export { readServiceConfigs } from './grpc/service-config-files.ts';

export interface LoadOptions {
  /** What ${VAR} is looked up in. */
  readonly env: Environment;
  /** What a relative `source` is relative to. */
  readonly cwd: string;
  /** Says why a pattern cannot be used, or null. @default patterns are not checked */
  readonly checkRegex?: CheckRegex;
  /** Replaces the file system; then no source may be a folder. */
  readonly readFile?: ReadFile;
  /** What a mesh settles silently is a warning, and settled as that mesh does it. @default false: it is an error */
  readonly lenient?: boolean;
}

export interface LoadedConfig {
  readonly config: MeshConfig;
  readonly warnings: readonly ConfigIssue[];
  /** First 12 hex digits of the SHA-256 of the contents of all files. Variables do not count. */
  readonly hash: string;
  /** Absolute, in the order they were read. */
  readonly files: readonly string[];
  /** Where a path was written, or what should hold it. */
  readonly at: (path: ConfigPath, part?: PathPart) => SourcePosition | undefined;
  /** The documents of other meshes, in the order of the load; to be written back. */
  readonly resources: readonly Resource[];
}

export type LoadResult = LoadedConfig | { readonly issues: readonly ConfigIssue[] };

export async function loadConfig(source: string | readonly string[], options: LoadOptions): Promise<LoadResult> {
  const { files, issues: unread } = await readFiles(source, options.cwd, options.readFile);
  const parse = await documentParser();
  const sources: SourceText[] = [];
  const documents: ConfigDocument[] = [];
  const issues: ConfigIssue[] = [...unread];
  for (const file of files) {
    const text = sourceText(file.name, file.text);
    sources.push(text);
    const parsed = parse(text);
    for (const root of parsed.documents) documents.push({ source: text, path: file.path, root });
    for (const { offset, message } of parsed.issues) {
      issues.push({ severity: 'error', path: [], message, position: positionAt(text, offset) });
    }
  }
  // Half a configuration would be full of names that seem to be missing.
  if (issues.length > 0) return { issues: framed(issues, sources) };
  const plain = mergeDocuments(
    documents.filter(({ root }) => !isResource(root)),
    options.env,
  );
  const { merged, files: named } = await withServiceConfigs(plain, sources, options);
  const resolved = resolveConfig(merged.input, {
    at: merged.at,
    raw: merged.raw,
    numericDurations: false,
    ...(options.checkRegex === undefined ? {} : { checkRegex: options.checkRegex }),
  });
  const isSound = merged.issues.length === 0 && !('issues' in resolved);
  const foreign = withItems(documents.filter(({ root }) => isResource(root)));
  const bound = foreign.length === 0 ? UNBOUND : await bindForeign(isSound ? resolved.config : null, foreign, merged, options);
  if (!isSound) {
    const found = 'issues' in resolved ? resolved.issues : resolved.warnings;
    const own = found.filter(({ path }) => !merged.faulty.has(pathKey(path)));
    return { issues: framed([...merged.issues, ...own, ...bound.issues], sources) };
  }
  const warnings = [...resolved.warnings, ...bound.issues];
  if (bound.issues.some(({ severity }) => severity === 'error')) return { issues: framed(warnings, sources) };
  return {
    config: bound.config ?? resolved.config,
    warnings: framed(warnings, sources),
    hash: hashOf([...files, ...named]),
    files: [...files, ...named].map(({ path }) => path),
    at: (path, part = 'value') => merged.at(path, part),
    resources: bound.resources,
  };
}

/** The files that services name for their gRPC service configs, as if they stood in theirs. Adds their texts to `sources`. */
async function withServiceConfigs(
  merged: MergedDocuments,
  sources: SourceText[],
  { cwd, readFile }: LoadOptions,
): Promise<{ readonly merged: MergedDocuments; readonly files: readonly FileText[] }> {
  if (!namesServiceConfigs(merged.input)) return { merged, files: [] };
  const found = await readServiceConfigs(merged.input, cwd, readFile);
  sources.push(...found.sources);
  const at: MergedDocuments['at'] = (path, part) => found.at(path, part) ?? merged.at(path, part);
  const issues = found.issues.map((issue) => {
    const position = issue.position ?? merged.at(issue.path, 'value');
    return position === undefined ? issue : { ...issue, position };
  });
  // What was said of a file is enough.
  const faulty = new Set([...merged.faulty, ...found.issues.map(({ path }) => pathKey(path))]);
  return { merged: { ...merged, input: found.input, at, issues: [...merged.issues, ...issues], faulty }, files: found.files };
}

const UNBOUND: BoundResources = { config: null, issues: [], resources: [] };

/** Loaded with the first document of another mesh. */
async function bindForeign(
  base: MeshConfig | null,
  documents: readonly ConfigDocument[],
  merged: MergedDocuments,
  options: LoadOptions,
): Promise<BoundResources> {
  const { bindResources } = await import('./bind-resources.ts');
  const { env, lenient = false, checkRegex } = options;
  return bindResources(base, documents, { env, lenient, checkRegex, written: writtenIn(merged) });
}

function writtenIn({ input, at }: MergedDocuments): Written {
  const place = (holder: object | undefined, path: ConfigPath): SourcePosition | undefined =>
    holder !== undefined && Object.hasOwn(holder, String(path.at(-1))) ? at(path, 'key') : undefined;
  return {
    service: (service, field) => {
      const own = input.services?.[service];
      const { grpcServiceConfig: grpc } = own ?? {};
      const path = ['services', service];
      return (
        place(own, [...path, CONCISE_NAMES[field] ?? field]) ??
        (typeof grpc === 'object' ? place(grpc, [...path, 'grpcServiceConfig', GRPC_NAMES[field] ?? '']) : undefined)
      );
    },
    defaults: (field) => place(input.defaults, ['defaults', CONCISE_NAMES[field] ?? field]),
    // The section of ours says nothing of what Istio's Telemetry is about.
    top: (key) => (key === 'telemetry' ? undefined : place(input, [key])),
  };
}

/** Fields whose name in the concise form differs from that in the model. */
const CONCISE_NAMES: Readonly<Record<string, string>> = { timeoutMs: 'timeout' };

/** Fields that a gRPC service config says, by its names. */
const GRPC_NAMES: Readonly<Record<string, string>> = {
  routes: 'methodConfig',
  retryBudget: 'retryThrottling',
  loadBalancer: 'loadBalancingConfig',
};

function hashOf(files: readonly FileText[]): string {
  const hash = createHash('sha256');
  for (const { bytes } of files) hash.update(bytes);
  return hash.digest('hex').slice(0, 12);
}
