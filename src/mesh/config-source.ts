// Where a mesh's configuration comes from: an object, or files read by yaml/ (loaded only then) and watched. Gives a
// whole good configuration or a MeshError that names every fault; never something in between.
import { xxHash64 } from '../balance/xxhash64.ts';
import { meshError } from '../core/errors.ts';
import type { MeshConfig } from '../model/config.ts';
import type { EndpointConfig } from '../model/destination.ts';
import type { MeshInput } from '../model/input.ts';
import type { ConfigIssue, ConfigPath, PathPart } from '../model/issue.ts';
import type { SourcePosition } from '../model/route.ts';
import { resolveConfig } from '../model/resolve.ts';

/** A configuration that was read and checked before, resources of other meshes included; for simulations. */
export interface CheckedSource {
  readonly checked: MeshConfig;
  readonly hash: string;
}

/** Path of a file or folder, several of them, or the configuration itself. */
export type ConfigSource = string | readonly string[] | MeshInput | CheckedSource;

export interface LoadedConfig {
  readonly config: MeshConfig;
  readonly hash: string;
  readonly warnings: readonly ConfigIssue[];
  /** What to watch; empty for an object. */
  readonly files: readonly string[];
  /** Where a path was written, or what should hold it; absent for an object. */
  readonly at?: LocatePath;
}

export type LocatePath = (path: ConfigPath, part?: PathPart) => SourcePosition | undefined;

const HASH_LENGTH = 12;

/** `INMESH_CONFIG`, else ./mesh.yaml. Without either the mesh knows no service and passes everything on. */
export async function defaultSource(env: Readonly<Record<string, string | undefined>>): Promise<ConfigSource> {
  const named = env.INMESH_CONFIG;
  if (named !== undefined && named !== '') return named.split(',').map((path) => path.trim());
  const { existsSync } = await import('node:fs');
  return existsSync('mesh.yaml') ? 'mesh.yaml' : {};
}

export function isFileSource(source: ConfigSource): source is string | readonly string[] {
  return typeof source === 'string' || Array.isArray(source);
}

function isChecked(source: ConfigSource): source is CheckedSource {
  return typeof source === 'object' && 'checked' in source;
}

function rejected(issues: readonly ConfigIssue[], text: string): Error {
  const faults = issues.filter(({ severity }) => severity === 'error').length;
  return Object.assign(
    meshError({ code: 'config_invalid', message: `${faults} fault${faults === 1 ? '' : 's'} in the configuration:\n${text}\n` }),
    { issues },
  );
}

const functionIds: WeakMap<object, number> = new WeakMap();
let functionsSeen = 0;

/** Two functions are different configurations, whatever their text. */
function idOf(value: object): number {
  let id = functionIds.get(value);
  if (id === undefined) {
    id = ++functionsSeen;
    functionIds.set(value, id);
  }
  return id;
}

async function loadObject(given: MeshInput): Promise<LoadedConfig> {
  const input = await withServiceConfigs(given);
  const text = JSON.stringify(input, (_key, value: unknown) => (typeof value === 'function' ? `function ${idOf(value)}` : value));
  const regex = text.includes('"regex"') ? await (await import('../route/regex.ts')).loadRegex() : null;
  const result = resolveConfig(input, regex === null ? {} : { checkRegex: (pattern) => regex.check(pattern) });
  if ('issues' in result) {
    const { formatPath } = await import('../model/issue.ts');
    const lines = result.issues.map(
      (issue) =>
        `  ${formatPath(issue.path)}: ${issue.message}${issue.suggestion === undefined ? '' : `; did you mean ${issue.suggestion}?`}`,
    );
    throw rejected(result.issues, lines.join('\n'));
  }
  return { config: result.config, hash: hashOf(text), warnings: result.warnings, files: [] };
}

/** Tells two configurations apart, and nothing else: no cryptography, which would have to be loaded. */
function hashOf(text: string): string {
  const hash = { hi: 0, lo: 0 };
  xxHash64(text, hash);
  return [hash.hi, hash.lo]
    .map((half) => half.toString(16).padStart(8, '0'))
    .join('')
    .slice(0, HASH_LENGTH);
}

/** The YAML parser is loaded only for files that are named. */
async function withServiceConfigs(input: MeshInput): Promise<MeshInput> {
  if (!Object.values(input.services ?? {}).some((service) => typeof service?.grpcServiceConfig === 'string')) return input;
  const { readServiceConfigs, formatIssues } = await import('../yaml/load.ts');
  const { input: whole, issues } = await readServiceConfigs(input, process.cwd());
  if (issues.length > 0) throw rejected(issues, formatIssues(issues));
  return whole;
}

async function loadFiles(paths: string | readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<LoadedConfig> {
  const [{ loadConfig, formatIssues }, { loadRegex }] = await Promise.all([import('../yaml/load.ts'), import('../route/regex.ts')]);
  const regex = await loadRegex();
  const result = await loadConfig(paths, { env, cwd: process.cwd(), checkRegex: (pattern: string) => regex.check(pattern) });
  if ('issues' in result) throw rejected(result.issues, formatIssues(result.issues));
  return result;
}

/** Rejects with MeshError `config_invalid`, whose `issues` are the single faults. */
export function loadMeshConfig(source: ConfigSource, env: Readonly<Record<string, string | undefined>>): Promise<LoadedConfig> {
  if (isChecked(source)) return Promise.resolve({ config: source.checked, hash: source.hash, warnings: [], files: [] });
  return isFileSource(source) ? loadFiles(source, env) : loadObject(source);
}

/** Reads an endpoint file; the YAML parser is loaded with the first one. */
export async function parseEndpoints(text: string, file: string): Promise<readonly EndpointConfig[]> {
  const { endpointsFileParser } = await import('../yaml/endpoints-file.ts');
  const parse = await endpointsFileParser();
  return parse(text, file);
}
