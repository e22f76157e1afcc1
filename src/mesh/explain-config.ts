// What would become of a call by a configuration that nobody runs: the tables of a mesh without its endpoints, certificates
// and name servers. For the command line.
import type { MeshConfig, ServiceConfig } from '../model/config.ts';
import { compileMatches } from '../route/match.ts';
import { loadRegex } from '../route/regex.ts';
import type { LocatePath } from './config-source.ts';
import { explain, type ExplainRequest, type Explanation } from './explain.ts';
import { HostTable } from './host-table.ts';

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

const MATCHES_ALL = (): boolean => true;

/** `at`: where the concise form was written. */
export async function explainConfig(config: MeshConfig, request: ExplainRequest, at: LocatePath | undefined): Promise<Explanation> {
  const { compile } = await loadRegex();
  const hosts = new HostTable<ServiceConfig>();
  for (const service of Object.values(config.services)) for (const host of service.hosts) hosts.add(host, service);
  return explain(
    {
      config,
      users: [],
      traced: false,
      at,
      takes: (match, call) => compileMatches([match], compile)?.(call) ?? true,
      find: (origin) => {
        const { protocol, hostname, port } = new URL(origin);
        const service = hosts.find(hostname.replace(/\.$/, ''), port === '' ? (PORTS[protocol] ?? '') : port);
        if (service === null) return null;
        const matchers = service.routes.map(({ matches }) => compileMatches(matches, compile) ?? MATCHES_ALL);
        return { service, matchers };
      },
    },
    request,
  );
}
