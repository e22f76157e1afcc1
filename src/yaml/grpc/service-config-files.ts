// The files that `grpcServiceConfig` of a service names, put in its place, with the places of what is in them. Written for other
// gRPC stacks, too: JSON or YAML, one document, without variables.
import { resolve } from 'node:path';
import type { GrpcServiceConfigInput } from '../../model/input-grpc.ts';
import type { MeshInput, ServiceInput } from '../../model/input.ts';
import type { ConfigIssue, ConfigPath, PathPart } from '../../model/issue.ts';
import { formatPath } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import { type DocumentParser, documentParser } from '../document.ts';
import { displayName, type FileText, type ReadFile, readFiles } from '../files.ts';
import { positionAt, type SourceText, sourceText } from '../frame.ts';
import { type Located, offsetOf } from '../located.ts';
import { toValue } from '../value.ts';

export interface ServiceConfigFiles {
  /** With the contents in place of the paths. */
  readonly input: MeshInput;
  readonly files: readonly FileText[];
  readonly sources: readonly SourceText[];
  /** With positions in the files, or without any. */
  readonly issues: readonly ConfigIssue[];
  /** Of what stands in one of the files; undefined for all else. */
  readonly at: (path: ConfigPath, part: PathPart) => SourcePosition | undefined;
}

const KEY = 'grpcServiceConfig';

export function namesServiceConfigs({ services = {} }: MeshInput): boolean {
  return isMapping(services) && Object.values(services).some((service) => typeof pathOf(service) === 'string');
}

/** Never rejects. `cwd`: what relative paths are relative to. */
export async function readServiceConfigs(input: MeshInput, cwd: string, read?: ReadFile): Promise<ServiceConfigFiles> {
  const reader = new Reader(await documentParser(), cwd, read);
  const services = Object.create(null) as Record<string, ServiceInput>;
  for (const [name, service] of Object.entries(input.services ?? {})) {
    const path = pathOf(service);
    const value = path === undefined ? undefined : await reader.read(name, path);
    services[name] = value === undefined ? service : { ...service, [KEY]: value };
  }
  return { ...reader, input: { ...input, services }, at: reader.at };
}

class Reader {
  readonly files: FileText[] = [];
  readonly sources: SourceText[] = [];
  readonly issues: ConfigIssue[] = [];
  readonly #parse: DocumentParser;
  readonly #cwd: string;
  readonly #read: ReadFile | undefined;
  readonly #roots: Map<string, { readonly source: SourceText; readonly root: Located }> = new Map();

  constructor(parse: DocumentParser, cwd: string, read: ReadFile | undefined) {
    this.#parse = parse;
    this.#cwd = cwd;
    this.#read = read;
  }

  readonly at = (path: ConfigPath, part: PathPart): SourcePosition | undefined => {
    const [section, service, key, ...inner] = path;
    const found = section === 'services' && key === KEY && inner.length > 0 ? this.#roots.get(String(service)) : undefined;
    return found === undefined ? undefined : positionAt(found.source, offsetOf(found.root, inner, part));
  };

  /** undefined: what is wrong was said. */
  async read(service: string, path: string): Promise<GrpcServiceConfigInput | undefined> {
    const at = ['services', service, KEY];
    const name = displayName(resolve(this.#cwd, path), this.#cwd);
    const { files } = await readFiles(path, this.#cwd, this.#read);
    const [file] = files;
    if (file === undefined || files.length > 1) {
      this.#fault(at, `${formatPath(at)}: ${name} cannot be read; write the file, or correct the path`);
      return undefined;
    }
    const source = sourceText(file.name, file.text);
    if (!this.files.some((known) => known.path === file.path)) {
      this.files.push(file);
      this.sources.push(source);
    }
    const { documents, issues } = this.#parse(source);
    const [root, second] = documents;
    for (const { offset, message } of issues) this.#fault(at, message, positionAt(source, offset));
    if (issues.length > 0) return undefined;
    if (root?.kind !== 'map' || second !== undefined) {
      this.#fault(
        at,
        'the file must be one gRPC service config: a mapping with methodConfig and so on',
        positionAt(source, root?.offset ?? 0),
      );
      return undefined;
    }
    this.#roots.set(service, { source, root });
    return toValue(root, {}, () => {}) as GrpcServiceConfigInput;
  }

  #fault(path: ConfigPath, message: string, position?: SourcePosition): void {
    this.issues.push({ severity: 'error', path, message, ...(position === undefined ? {} : { position }) });
  }
}

/** Only of what may be a service: its form has not been looked at. */
function pathOf(service: unknown): string | undefined {
  const path = isMapping(service) ? service[KEY] : undefined;
  return typeof path === 'string' && path !== '' ? path : undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
