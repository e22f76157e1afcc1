// A configuration made ready for a world that is only a model: read and checked as a mesh does, then every service gets
// fixed endpoints, those of its file, or invented ones behind its name. All else stays as it was written.
import { loadMeshConfig, parseEndpoints, type ConfigSource, isFileSource } from '../mesh/config-source.ts';
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import type { EndpointConfig } from '../model/destination.ts';
import type { EndpointInput, MeshInput, ServiceInput } from '../model/input.ts';
import { documentParser } from '../yaml/document.ts';
import { readFiles } from '../yaml/files.ts';
import { sourceText } from '../yaml/frame.ts';
import { mergeDocuments } from '../yaml/merge.ts';
import { isResource } from '../yaml/resource.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SimConfig {
  /** With fixed endpoints everywhere. */
  readonly input: MeshInput;
  /** All defaults filled in; endpoints as they were written. */
  readonly config: MeshConfig;
  /** By service. */
  readonly endpoints: ReadonlyMap<string, readonly EndpointConfig[]>;
}

/** What a name without a port is taken to mean. */
const PORT_DEFAULT = 80;

/** Rejects with MeshError `config_invalid` for a faulty configuration. `behindNames`: endpoints invented for a service found by DNS. */
export async function simConfig(source: ConfigSource, env: Environment, behindNames: number): Promise<SimConfig> {
  const { config } = await loadMeshConfig(source, env);
  const written = isFileSource(source) ? await inputOf(source, env) : (source as MeshInput);
  const endpoints = new Map<string, readonly EndpointConfig[]>();
  for (const service of Object.values(config.services)) endpoints.set(service.name, await endpointsOf(service, behindNames));
  return { input: withEndpoints(written, endpoints), config, endpoints };
}

/** The same files as people wrote them, variables put in. They were found to be good a moment ago. */
async function inputOf(source: string | readonly string[], env: Environment): Promise<MeshInput> {
  const { files } = await readFiles(source, process.cwd());
  const parse = await documentParser();
  const documents = files.flatMap(({ name, path, text }) => {
    const read = sourceText(name, text);
    return parse(read).documents.map((root) => ({ source: read, path, root }));
  });
  const foreign = documents.find(({ root }) => isResource(root));
  if (foreign !== undefined)
    throw new TypeError(`${foreign.source.file} holds resources of another mesh; a simulation runs our own form only`);
  return mergeDocuments(documents, env).input;
}

async function endpointsOf({ name, endpoints }: ServiceConfig, behindNames: number): Promise<readonly EndpointConfig[]> {
  if (endpoints.kind === 'static') return endpoints.endpoints;
  if (endpoints.kind === 'file') {
    const { files, issues } = await readFiles(endpoints.path, process.cwd());
    const [file] = files;
    if (file === undefined) throw new Error(`the endpoints of service "${name}": ${issues[0]?.message ?? 'no file'}`);
    return parseEndpoints(file.text, file.name);
  }
  const host = name.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  const port = endpoints.port === 0 ? PORT_DEFAULT : endpoints.port;
  return Array.from({ length: behindNames }, (_, i) => ({ address: `${host}-${i + 1}:${port}`, labels: {}, locality: '', weight: 1 }));
}

function withEndpoints(input: MeshInput, endpoints: ReadonlyMap<string, readonly EndpointConfig[]>): MeshInput {
  const services: Record<string, ServiceInput> = {};
  for (const [name, service] of Object.entries(input.services ?? {})) {
    const { dns: _dns, endpointsFile: _file, ...known } = service;
    services[name] = { ...known, endpoints: (endpoints.get(name) ?? []).map(written) };
  }
  return { ...input, services };
}

function written({ locality, ...endpoint }: EndpointConfig): EndpointInput {
  return locality === '' ? endpoint : { ...endpoint, locality };
}
