// One Node of the matrix, started by matrix.test.ts: every client through every scenario, against servers of its own.
// Imports the package as it is published. Prints one JSON object: a list of cells.
import type * as Inmesh from '../../src/index.ts';
import type * as InmeshUndici from '../../src/undici.ts';
import { type Client, fetchClient, type UndiciModule, undiciClients } from './matrix-clients.ts';
import { SCENARIOS, type Scenario } from './matrix-scenarios.ts';
import { type Peers, startPeers } from './matrix-servers.ts';

export interface Cell {
  readonly client: string;
  readonly passed: number;
  readonly failed: readonly string[];
}

/** No scenario takes longer, unless something hangs. */
const SCENARIO_MS_MAX = 5_000;

const [dist = '', filter = ''] = process.argv.slice(2);

// The package first: what it does to the globals on the way in must not hurt the others.
const { createMesh } = (await import(new URL('index.js', dist).href)) as typeof Inmesh;
const { installGlobalDispatcher } = (await import(new URL('undici.js', dist).href)) as typeof InmeshUndici;
const undicis = {
  'undici 6': (await import('undici-6')) as unknown as UndiciModule,
  'undici 7': (await import('undici-7')) as unknown as UndiciModule,
  'undici 8': (await import('undici')) as unknown as UndiciModule,
};

const EDITED = [{ headers: { response: { set: { 'x-set': 'by the route' }, remove: ['content-type'] } } }];

function meshOf(peers: Peers): Promise<Inmesh.Mesh> {
  const { healthy, spare, sick, hasty, mute, gone, h2c, h2 } = peers;
  const pair = (first: string, second: string): { endpoints: string[] } => ({ endpoints: [first, second] });
  return createMesh({
    config: {
      defaults: {
        loadBalancer: 'roundRobin',
        outlierDetection: false,
        circuitBreaker: false,
        retryBudget: { tokens: 10_000 },
        retries: { backoff: { base: 1, max: 5 } },
        timeout: '10s',
      },
      services: {
        fine: pair(healthy.address, spare.address),
        sick: pair(sick.address, healthy.address),
        hasty: pair(hasty.address, healthy.address),
        gone: pair(gone.address, healthy.address),
        mute: { ...pair(mute.address, healthy.address), retries: { perTryTimeout: 150 } },
        backoff: { endpoints: [hasty.address], retries: { backoff: { base: '4s', max: '5s' } } },
        slot: { endpoints: [spare.address], limits: { maxConnections: 1 } },
        edited: { ...pair(healthy.address, spare.address), routes: EDITED },
        edited2: { endpoints: [h2c.address], protocol: 'http2', routes: EDITED },
        plain2: { endpoints: [h2c.address], protocol: 'http2' },
        secure: { endpoints: [h2.address], protocol: 'http2', tls: { mode: 'simple', ca: peers.ca } },
      },
    },
  });
}

async function attempt(scenario: Scenario, client: Client, peers: Peers): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${SCENARIO_MS_MAX} ms`)), SCENARIO_MS_MAX);
  });
  try {
    await Promise.race([scenario.run({ client, peers }), late]);
    return null;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${scenario.name}: ${message}${cause === undefined ? '' : `, because ${String((cause as Error).message)}`}`;
  } finally {
    clearTimeout(timer);
  }
}

async function cell(client: Client, peers: Peers): Promise<Cell> {
  const failed: string[] = [];
  let passed = 0;
  for (const scenario of SCENARIOS) {
    if (scenario.fits?.(client) === false) continue;
    if (filter !== '' && !`${client.name}: ${scenario.name}`.includes(filter)) continue;
    const failure = await attempt(scenario, client, peers);
    if (failure === null) passed++;
    else failed.push(failure);
  }
  return { client: client.name, passed, failed };
}

const peers = await startPeers();
const mesh = await meshOf(peers);
const builtIn = fetch as unknown as UndiciModule['fetch'];
const cells: Cell[] = [await cell(fetchClient('built-in fetch', builtIn, mesh.dispatcher, FormData), peers)];
for (const [label, undici] of Object.entries(undicis)) {
  for (const client of undiciClients(label, undici, mesh.dispatcher)) cells.push(await cell(client, peers));
}
const uninstall = installGlobalDispatcher(mesh);
cells.push(await cell(fetchClient('built-in fetch, global', builtIn, undefined, FormData), peers));
for (const [label, undici] of Object.entries(undicis)) {
  const [request] = undiciClients(label, undici, undefined) as [Client];
  cells.push(await cell({ ...request, name: `${label} request, global` }, peers));
}
uninstall();
await mesh.close();
peers.close();
process.stdout.write(`${JSON.stringify(cells)}\n`);
