// A configuration made ready for a world that is only a model: read and checked as a mesh does, then every service gets
// fixed endpoints, those of its file, or invented ones behind its name. All else stays as it was written.
import { createHash } from 'node:crypto';
import { type CheckedSource, type ConfigSource, loadMeshConfig, parseEndpoints } from '../mesh/config-source.ts';
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import type { EndpointConfig } from '../model/destination.ts';
import { readFiles } from '../yaml/files.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SimConfig {
  /** All defaults filled in, fixed endpoints everywhere; of whatever meshes its documents were. */
  readonly config: MeshConfig;
  /** By service. */
  readonly endpoints: ReadonlyMap<string, readonly EndpointConfig[]>;
}

const HASH_LENGTH = 12;

/** What a name without a port is taken to mean. */
const PORT_DEFAULT = 80;

/** Rejects with MeshError `config_invalid` for a faulty configuration. `behindNames`: endpoints invented for a service found by DNS. */
export async function simConfig(source: ConfigSource, env: Environment, behindNames: number): Promise<SimConfig> {
  const { config } = await loadMeshConfig(source, env);
  const endpoints = new Map<string, readonly EndpointConfig[]>();
  for (const service of Object.values(config.services)) endpoints.set(service.name, await endpointsOf(service, behindNames));
  return { config: withEndpoints(config, endpoints), endpoints };
}

/** As a simulated client takes it. What differs has another hash, so that a reload is one. */
export function checkedSource(config: MeshConfig): CheckedSource {
  const hash = createHash('sha256').update(JSON.stringify(config)).digest('hex').slice(0, HASH_LENGTH);
  return { checked: config, hash };
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

function withEndpoints(config: MeshConfig, endpoints: ReadonlyMap<string, readonly EndpointConfig[]>): MeshConfig {
  const services: Record<string, ServiceConfig> = {};
  for (const [name, service] of Object.entries(config.services)) {
    services[name] = { ...service, endpoints: { kind: 'static', endpoints: endpoints.get(name) ?? [] } };
  }
  return { ...config, services };
}
