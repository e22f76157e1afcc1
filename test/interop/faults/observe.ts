// One cell of the fault matrix: a mesh with real sockets calls an endpoint that falls ill, and what came of it is written in one
// line per kind of call. `connection_lost failed head ×2` reads: that code, of that family, the head may have been sent, two
// requests reached the endpoint. Afterwards the endpoint is well again, and so must be the mesh: no count left, the next call served.
import type * as InmeshGrpc from '../../../src/grpc.ts';
import type * as Inmesh from '../../../src/index.ts';
import type { ServiceInput } from '../../../src/model/input.ts';
import { type IllPeer, type Protocol, wellServer } from './peers.ts';

export type CreateMesh = typeof Inmesh.createMesh;

/** What is tested: the sources, or a build. */
export interface Library {
  readonly createMesh: CreateMesh;
  readonly grpcClient: typeof InmeshGrpc.grpcClient;
  /** Where the build was loaded from, for what runs in a process of its own. @default the sources */
  readonly dist?: string;
}

/** What a call comes to, by its kind. */
export interface Observed {
  /** A GET: may be repeated. */
  readonly get: string;
  /** A POST without a key: only what provably did not arrive may be repeated. */
  readonly post: string;
  /** A GET while another endpoint is well. */
  readonly spare: string;
}

export interface FaultCell {
  readonly peer: () => Promise<IllPeer>;
  /** The fault meets a socket that has served a call before. @default false */
  readonly isReused?: boolean;
  readonly service?: ServiceInput;
  /** Of the request. @default x */
  readonly body?: () => unknown;
  /** Where more than one outcome keeps the promise, they stand side by side: `a|b`. */
  readonly expected: Observed;
}

const SETTLE_MS_MAX = 2_000;
/** One for each endpoint. */
const WARMING_CALLS = 2;
/** Far longer than any answer takes, on a busy machine too. */
const TIMEOUT_MS = 8_000;
const TRY_MS = 3_000;

/** For rows that wait for a timeout. */
export const HASTY: ServiceInput = { timeout: 1_000, retries: { attempts: 1, perTryTimeout: 300, backoff: { base: 1, max: 1 } } };

const BASE: ServiceInput = {
  loadBalancer: 'roundRobin',
  outlierDetection: false,
  circuitBreaker: false,
  retryBudget: { tokens: 10_000 },
  timeout: TIMEOUT_MS,
  retries: { attempts: 1, perTryTimeout: TRY_MS, backoff: { base: 1, max: 1 } },
};

function words(error: unknown): string {
  const { code, family, sent } = error as { code?: string; family?: string; sent?: string };
  return family === undefined ? String((error as Error).message) : `${code} ${family} ${sent}`;
}

/** One call, in words. */
export async function outcomeOf(mesh: Inmesh.Mesh, url: string, init: RequestInit = {}): Promise<string> {
  let head = '';
  try {
    const response = await mesh.fetch(url, init);
    head = `${response.status}, then `;
    const text = await response.text();
    return `${response.status} ${text}`.trim();
  } catch (error) {
    return head + words(error);
  }
}

/** Everything that the mesh counts as under way. */
export function underWay(mesh: Inmesh.Mesh): number {
  const text = JSON.stringify(mesh.snapshot().services);
  return [...text.matchAll(/"(?:inFlight|requests|retries)":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function settled(mesh: Inmesh.Mesh): Promise<number> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  while (underWay(mesh) > 0 && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  return underWay(mesh);
}

/** Long enough for undici to look after a socket that has just answered. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function healed(mesh: Inmesh.Mesh, peer: IllPeer, url: string): Promise<string> {
  await peer.heal();
  const left = await settled(mesh);
  if (left > 0) return `, ${left} LEFT UNDER WAY`;
  const next = await outcomeOf(mesh, url);
  return next.startsWith('200 ') ? '' : `, THE NEXT CALL: ${next}`;
}

/** The calls of one kind, through a mesh of their own, against an endpoint that falls ill just before. */
async function illness(mesh: Inmesh.Mesh, peer: IllPeer, cell: FaultCell, url: string, inits: readonly RequestInit[]): Promise<string> {
  try {
    await peer.heal();
    if (cell.isReused === true) {
      for (let i = 0; i < WARMING_CALLS; i++) await outcomeOf(mesh, url);
      await idle();
    }
    peer.fall();
    const outcomes: string[] = [];
    for (const init of inits) outcomes.push(await outcomeOf(mesh, url, init));
    const hits = peer.hits();
    const bad = outcomes.filter((one) => one !== '200 ok');
    return `${bad.length === 0 ? '200 ok' : bad.join(' and ')} ×${hits}${await healed(mesh, peer, url)}`;
  } finally {
    await mesh.close({ drainMs: 100 });
  }
}

export async function observe(cell: FaultCell, protocol: Protocol, createMesh: CreateMesh): Promise<Observed> {
  const [peer, well] = [await cell.peer(), await wellServer(protocol)];
  const service = { ...BASE, ...(protocol === 'http1' ? {} : { protocol: 'http2' as const }), ...cell.service };
  const mesh = (...endpoints: string[]): Promise<Inmesh.Mesh> => createMesh({ config: { services: { it: { ...service, endpoints } } } });
  const { address } = peer;
  const { body = (): unknown => 'x' } = cell;
  const post = { method: 'POST', body: body(), duplex: 'half' } as RequestInit;
  try {
    return {
      get: await illness(await mesh(address), peer, cell, 'http://it/', [{}]),
      post: await illness(await mesh(address), peer, cell, 'http://it/', [post]),
      // In two calls the ill endpoint is drawn first once.
      spare: await illness(await mesh(address, `127.0.0.1:${well.port}`), peer, cell, 'http://it/', [{}, {}]),
    };
  } finally {
    peer.close();
    well.close();
  }
}
