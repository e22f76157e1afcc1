// A mesh made of YAML over leaves that answer by a function, on a virtual clock: from the file to the outcome, without
// sockets and without waiting.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Call, Endpoint } from '../../src/core/call.ts';
import { runAt } from '../../src/core/clock.ts';
import { MeshError } from '../../src/core/errors.ts';
import type { MeshEvent } from '../../src/core/events.ts';
import type { Service } from '../../src/core/service.ts';
import { createMesh, type Mesh } from '../../src/mesh/mesh.ts';
import type { MeshOptions } from '../../src/mesh/mesh-options.ts';
import type { MeterSnapshot } from '../../src/telemetry/meter-snapshot.ts';
import type { MeshFetchInit } from '../../src/transport/fetch.ts';
import { pair, type Seen, testError } from '../support/fake-service.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

export const A = '10.0.0.1:80';
export const B = '10.0.0.2:80';
export const C = '10.0.0.3:80';

/** What an endpoint says, and how long it takes. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly afterMs?: number;
}

/** A number is a status. 'hang' never answers, 'refuse' fails to connect. */
export type Play = (attempt: Call) => number | Answer | 'hang' | 'refuse';

/** One attempt as the endpoint saw it. */
export interface Attempt {
  readonly address: string;
  readonly atMs: number;
  readonly call: Call;
}

/** What the caller got: an answer, or the code of an error. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly error: MeshError | null;
  readonly code: string;
  /** From the call to its end, virtual ms. */
  readonly tookMs: number;
}

export interface FakeLeaves {
  readonly transport: (endpoint: Endpoint) => Service;
  /** In order. */
  readonly attempts: Attempt[];
  /** Behaviour by address. @default 200 */
  readonly play: Record<string, Play>;
}

export interface TrafficWorld extends FakeLeaves {
  readonly mesh: Mesh;
  readonly clock: VirtualClock;
  readonly events: MeshEvent[];
  /** Addresses of the attempts so far. */
  readonly log: () => string[];
  /** Calls http://reviews<path>, or a whole URL; time moves until it has ended. */
  get(path?: string, init?: MeshFetchInit): Promise<Got>;
  /** The same, without moving time. */
  start(path?: string, init?: MeshFetchInit): Promise<Got>;
  reload(yaml: string): Promise<void>;
  /** Counts of `inmesh.route.actions`. */
  actions(): Record<string, number>;
}

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

export function fakeLeaves(clock: VirtualClock): FakeLeaves {
  const attempts: Attempt[] = [];
  const play: Record<string, Play> = {};
  const transport = (endpoint: Endpoint): Service => {
    const [service, server] = pair({ clock });
    const { address } = endpoint;
    return (call) => {
      attempts.push({ address, atMs: clock.now(), call });
      const replied = service(call);
      void server.next().then((seen) => {
        const answer = (play[address] ?? (() => 200))(call);
        if (answer === 'hang') return;
        if (answer === 'refuse') seen.fail(testError('connect_failed', { retryable: true }));
        else reply(seen, typeof answer === 'number' ? { status: answer } : answer, clock);
      });
      return replied;
    };
  };
  return { transport, attempts, play };
}

function reply(seen: Seen, answer: Answer, clock: VirtualClock): void {
  const { status = 200, headers = {}, body = '', afterMs = 0 } = answer;
  const send = (): void => {
    if (seen.call.outcome !== null) return;
    const head = seen.reply(status, { ...headers });
    if (body !== '') head.send(Buffer.from(body));
    head.end();
  };
  if (afterMs === 0) {
    send();
    return;
  }
  const timer = runAt(clock, clock.now() + afterMs, send);
  seen.call.onEnd(() => clock.disarm(timer));
}

async function file(yaml: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inmesh-traffic-'));
  open.push(() => rm(folder, { recursive: true }));
  const path = join(folder, 'mesh.yaml');
  await writeFile(path, yaml);
  return path;
}

export async function trafficWorld(yaml: string, options: Partial<MeshOptions> = {}): Promise<TrafficWorld> {
  const clock = new VirtualClock();
  const leaves = fakeLeaves(clock);
  const path = await file(yaml);
  const random = seededRandom(7);
  const { transport } = leaves;
  const mesh = await createMesh({ config: path, watch: false, clock, random, telemetry: { spans: 'off' }, transport, ...options });
  open.push(() => mesh.close({ drainMs: 0 }));
  const events: MeshEvent[] = [];
  mesh.events.onAny((event) => events.push(event));
  const start: TrafficWorld['start'] = (at = '/', init) => ended(mesh, clock, at.startsWith('/') ? `http://reviews${at}` : at, init);
  return {
    ...leaves,
    mesh,
    clock,
    events,
    log: () => leaves.attempts.map(({ address }) => address),
    start,
    get: (at, init) => moved(start(at, init), clock),
    async reload(text) {
      await writeFile(path, text);
      await mesh.reload();
    },
    actions: () => actionsOf(mesh),
  };
}

async function ended(mesh: Mesh, clock: VirtualClock, url: string, init?: MeshFetchInit): Promise<Got> {
  const sinceMs = clock.now();
  try {
    const response = await mesh.fetch(url, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, error: null, code: '', tookMs: clock.now() - sinceMs };
  } catch (error) {
    const failure = error instanceof MeshError ? error : null;
    if (failure === null) throw error;
    return { status: 0, headers: new Headers(), text: '', error: failure, code: failure.code, tookMs: clock.now() - sinceMs };
  }
}

/** Moves time from timer to timer until the promise has settled. */
export async function moved<T>(promise: Promise<T>, clock: VirtualClock): Promise<T> {
  let isDone = false;
  const done = promise.finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  for (let turn = 0; !isDone; turn++) {
    for (let i = 0; i < 4 && !isDone; i++) await settle();
    if (isDone || clock.nextDueMs === Number.POSITIVE_INFINITY) break;
    if (turn > 10_000) throw new Error('the call does not end');
    await clock.run(Math.max(0, clock.nextDueMs - clock.now()));
  }
  return done;
}

function actionsOf(mesh: Mesh): Record<string, number> {
  const counts: Record<string, number> = {};
  const { values } = mesh.snapshot().metrics as MeterSnapshot;
  for (const { name, attributes, value } of values) {
    if (name !== 'inmesh.route.actions') continue;
    const action = String(attributes['inmesh.action']);
    counts[action] = (counts[action] ?? 0) + value;
  }
  return counts;
}
