// The processes of one generation: two or three servers, the proxies in front of them, one client per row. Knows who takes part in
// a row, so that its CPU and memory are those of all of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, YOUNG_GENERATION } from './child.ts';
import { type Proxy, startProxy } from './proxies.ts';
import { type Certificates, issueCertificates, SERVER_ID } from './sidecar-certificates.ts';
import type { ClientSetup } from './sidecar-client.ts';
import type { HopTls } from './sidecar-proxy-configs.ts';
import type { ProxyKind, Row } from './sidecar-rows.ts';
import type { ServerSetup } from './sidecar-server.ts';

interface Server {
  readonly child: Child;
  readonly port: number;
}

/** Who plays a row. */
export interface Player {
  readonly row: Row;
  readonly client: Child;
  readonly server: Child;
  /** In the order in which a call meets them. */
  readonly proxies: readonly Proxy[];
}

export interface World {
  readonly players: readonly Player[];
  /** Sentences about what was left out. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** Programs of the proxies; where one is null it was looked for in vain. */
export type Programs = Readonly<Record<ProxyKind, string | null>>;

async function startServer(setup: ServerSetup): Promise<Server> {
  const child = new Child('sidecar-server.ts', setup, YOUNG_GENERATION);
  const { port } = await child.answer<{ port: number }>();
  return { child, port };
}

/** The proxies of a row, the first one last to start. */
async function startHops(row: Row, kind: ProxyKind, program: string, port: number, certificates: Certificates): Promise<Proxy[] | string> {
  const hops: HopTls[] = row.hops === 1 ? [{}] : [{}, {}];
  if (row.isSecure) hops.splice(0, 2, { speaks: certificates.caller }, { accepts: certificates.server });
  const proxies: Proxy[] = [];
  for (const tls of hops.toReversed()) {
    const proxy = await startProxy(kind, { ports: [proxies[0]?.port ?? port] }, { tls, program });
    if (typeof proxy === 'string') {
      for (const started of proxies) await started.stop();
      return proxy;
    }
    proxies.unshift(proxy);
  }
  return proxies;
}

/** Clients of all other rows warm the bare server; those of inmesh have one row each, and need as many calls to be compiled. */
const SERVER_WARM_UP = 6;

async function warmServer(setup: ClientSetup): Promise<void> {
  const client = new Child('sidecar-client.ts', { ...setup, warmUpCalls: setup.warmUpCalls * SERVER_WARM_UP } satisfies ClientSetup);
  await client.answer();
  await client.stop();
}

/** Starts everything, one after the other: a warm-up beside another one would teach the compiler little. */
export async function startWorld(rows: readonly Row[], programs: Programs, warmUpCalls: number): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'inmesh-sidecar-'));
  // Keys must not outlive a run that fails.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const certificates = issueCertificates(folder);
  const servers: Server[] = [];
  const players: Player[] = [];
  const notes = new Set<string>();
  const bare = await startServer({ isMeshed: false, tls: null });
  const meshed = await startServer({ isMeshed: true, tls: null });
  const secure = await startServer({ isMeshed: true, tls: certificates.server });
  servers.push(bare, meshed, secure);
  for (const row of rows) {
    const server = row.server === 'bare' ? bare : row.isSecure ? secure : meshed;
    const program = row.proxy === null ? null : programs[row.proxy];
    if (row.proxy !== null && program === null) continue;
    const proxies = row.proxy === null || program === null ? [] : await startHops(row, row.proxy, program, server.port, certificates);
    if (typeof proxies === 'string') {
      notes.add(proxies);
      continue;
    }
    const setup: ClientSetup = {
      port: proxies[0]?.port ?? server.port,
      isMeshed: row.isMeshed,
      tls: row.isMeshed && row.isSecure ? certificates.caller : null,
      serverId: SERVER_ID,
      warmUpCalls,
    };
    if (row.server === 'mesh') await warmServer(setup);
    const client = new Child('sidecar-client.ts', setup, YOUNG_GENERATION);
    players.push({ row, client, server: server.child, proxies });
    await client.answer();
  }
  const stop = async (): Promise<void> => {
    for (const { client } of players) await client.stop();
    for (const proxy of players.flatMap(({ proxies }) => proxies)) await proxy.stop();
    for (const { child } of servers) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { players, notes: [...notes], stop };
}
