// Everything at once, for as long as it is told to: several kinds of calls over real sockets, an endpoint that restarts, a name that
// flaps, faults, stalls of the own loop, reloads. Counts what came of it; the soak of the tests runs it for seconds, `npm run soak`
// for minutes or hours.
import type { Mesh, MeshInput } from '../../src/index.ts';
import { type EchoClient, EchoClientClass, unary } from '../support/grpc-server.ts';
import { type Library, settled } from './faults/observe.ts';
import { SecureServer } from './soak-secure.ts';
import { SoakServer } from './soak-server.ts';

export interface SoakPlan {
  readonly forMs: number;
  readonly atOnce: number;
  readonly restartMs: number;
  readonly dnsFlapMs: number;
  readonly reloadMs: number;
  /** New certificates at both ends; every fourth time new roots. */
  readonly rotateMs: number;
  readonly stallEveryMs: number;
  readonly stallMs: number;
  /** Share of answers that are spoilt on purpose. */
  readonly faultShare: number;
  readonly onProgress?: (at: SoakSample) => void;
  /** Before memory is looked at: what is garbage is none of our business. */
  readonly collect?: () => void;
}

export interface SoakSample {
  readonly atMs: number;
  readonly calls: number;
  readonly failed: number;
  readonly p99Ms: number;
  readonly rssBytes: number;
}

export interface SoakResult {
  readonly samples: readonly SoakSample[];
  readonly calls: number;
  /** Calls that failed where no fault was made on purpose, by what they said. */
  readonly failures: Readonly<Record<string, number>>;
  readonly reloads: number;
  readonly restarts: number;
  readonly rotations: number;
  readonly underWay: number;
  readonly resourcesBefore: Readonly<Record<string, number>>;
  readonly resourcesAfter: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

interface Ends {
  readonly mesh: Mesh;
  readonly echo: EchoClient;
}

/** One call, to its last byte; what went wrong, or ''. */
type Kind = (ends: Ends) => Promise<string>;

function http(url: string, init: RequestInit = {}): Kind {
  return async ({ mesh }) => {
    const response = await mesh.fetch(url, init);
    await response.arrayBuffer();
    return response.status === 200 ? '' : `status ${response.status}`;
  };
}

const PUT: RequestInit = { method: 'PUT', body: 'x'.repeat(2_000) };
const STREAMED = 20;

async function unaryCall({ echo }: Ends): Promise<string> {
  const { error, text } = await unary(echo, 'soak');
  return error === null ? (text === 'soak' ? '' : `gRPC said ${text}`) : `gRPC ${error.message}`;
}

async function streamCall({ echo }: Ends): Promise<string> {
  let count = 0;
  for await (const _message of echo.serverStream(Buffer.from(String(STREAMED)))) count++;
  return count === STREAMED ? '' : `gRPC stream of ${count}`;
}

const KINDS: readonly Kind[] = [
  http('http://steady/'),
  http('http://steady/', PUT),
  http('http://named/'),
  http('http://streams/'),
  http('http://streams/', PUT),
  http('http://secure/'),
  http('http://secure-streams/'),
  http('http://secure-streams/', PUT),
  unaryCall,
  streamCall,
];

const SAMPLES = 40;
const CLOSE_MS_MAX = 8_000;

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function configOf(round: number, server: SoakServer, secure: SecureServer): MeshInput {
  const policy = {
    timeout: `${8 + (round % 3)}s`,
    retries: { attempts: 3, retryOn: ['connect-failure', 'refused-stream', 'reset', '503'], backoff: { base: 5, max: 50 } },
    retryBudget: { tokens: 10_000, perSuccess: 1 },
    circuitBreaker: false,
  } as const;
  const { http: secured, grpc, tls } = secure;
  return {
    identity: { external: true },
    services: {
      secure: { ...policy, tls, endpoints: [secured] },
      'secure-streams': { ...policy, tls, protocol: 'http2', endpoints: [secured] },
      echo: { ...policy, tls, endpoints: [grpc] },
      steady: { ...policy, endpoints: [...server.http1] },
      streams: { ...policy, protocol: 'http2', endpoints: [...server.http2] },
      named: { ...policy, dns: `named.test:${server.http1[0]?.split(':')[1]}` },
    },
  };
}

/** A name that is there, and then is not, and then is. */
function flapping(everyMs: number): object {
  const gone = (): Promise<never> => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const startMs = performance.now();
  let isFirst = true;
  return {
    resolve4: () => {
      const isThere = isFirst || Math.floor((performance.now() - startMs) / everyMs) % 2 === 0;
      isFirst = false;
      return isThere ? Promise.resolve([{ address: '127.0.0.1', ttl: 1 }]) : gone();
    },
    resolve6: gone,
    resolveSrv: gone,
    lookup: gone,
  };
}

class Tally {
  calls = 0;
  failed = 0;
  readonly failures: Record<string, number> = {};
  readonly samples: SoakSample[] = [];
  #tookMs: number[] = [];
  #calls = 0;
  #failed = 0;

  async count(call: Promise<string>): Promise<void> {
    const startMs = performance.now();
    this.calls++;
    const wrong = await call.catch((error: { code?: unknown }) => String(error.code ?? error));
    if (wrong !== '') this.#fail(wrong);
    this.#tookMs.push(performance.now() - startMs);
  }

  sample(atMs: number): SoakSample {
    const sorted = this.#tookMs.sort((a, b) => a - b);
    const p99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    const one = { atMs, calls: this.calls - this.#calls, failed: this.failed - this.#failed, p99Ms, rssBytes: process.memoryUsage.rss() };
    this.#tookMs = [];
    this.#calls = this.calls;
    this.#failed = this.failed;
    this.samples.push(one);
    return one;
  }

  #fail(what: string): void {
    this.failed++;
    this.failures[what] = (this.failures[what] ?? 0) + 1;
  }
}

/** Repeats until `isOver`; the timer is the only thing that waits. */
async function every(ms: number, isOver: () => boolean, act: () => unknown): Promise<number> {
  let count = 0;
  let dueMs = performance.now() + ms;
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(50, ms)));
    if (performance.now() < dueMs) continue;
    dueMs += ms;
    count++;
    await act();
  }
  return count;
}

function stall(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

export async function soak({ createMesh, grpcClient }: Library, plan: SoakPlan): Promise<SoakResult> {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error): number => warnings.push(`${name}: ${message}`);
  const onUnhandled = (reason: unknown): number => warnings.push(`unhandled: ${String(reason)}`);
  process.on('warning', onWarning);
  process.on('unhandledRejection', onUnhandled);
  const server = await SoakServer.start(plan.faultShare);
  const secure = await SecureServer.start(plan.faultShare);
  // What a process loads once, it keeps.
  await (await createMesh({ config: { services: {} } })).close();
  const resourcesBefore = resources();
  const { identity } = secure;
  const mesh = await createMesh({ identity, config: configOf(0, server, secure), resolver: flapping(plan.dnsFlapMs) as never });
  await mesh.ready();
  const ends = { mesh, echo: grpcClient(mesh, EchoClientClass, 'echo', { idempotent: true }) };
  const startMs = performance.now();
  const isOver = (): boolean => performance.now() - startMs >= plan.forMs;
  const tally = new Tally();
  let round = 0;
  const work = async (): Promise<void> => {
    for (let nth = 0; !isOver(); nth++) await tally.count((KINDS[nth % KINDS.length] as Kind)(ends));
  };
  const [reloads, restarts, rotations] = await Promise.all([
    every(plan.reloadMs, isOver, () => mesh.reload(configOf(++round, server, secure))),
    every(plan.restartMs, isOver, () => server.restart()),
    every(plan.rotateMs, isOver, () => secure.rotate()),
    every(plan.stallEveryMs, isOver, () => stall(plan.stallMs)),
    every(plan.forMs / SAMPLES, isOver, () => {
      plan.collect?.();
      plan.onProgress?.(tally.sample(performance.now() - startMs));
    }),
    ...Array.from({ length: plan.atOnce }, work),
  ]);
  const underWay = await settled(mesh);
  await mesh.close();
  const endMs = performance.now() + CLOSE_MS_MAX;
  let resourcesAfter = resources();
  const isMore = (): boolean => Object.entries(resourcesAfter).some(([name, count]) => count > (resourcesBefore[name] ?? 0));
  while (isMore() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    resourcesAfter = resources();
  }
  await Promise.all([server.stop(), secure.stop()]);
  process.off('warning', onWarning);
  process.off('unhandledRejection', onUnhandled);
  const { calls, failures, samples } = tally;
  return { samples, calls, failures, reloads, restarts, rotations, underWay, resourcesBefore, resourcesAfter, warnings };
}
