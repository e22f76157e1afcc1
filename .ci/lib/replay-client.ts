// A client process of a replay: the real library over real sockets, and users who do not wait. Draws its arrivals from the
// same stream as the simulated client of its number. Ends when its parent does.
import { request } from 'undici';
import { createMesh, type Mesh, MeshError } from '../../src/index.ts';
import { CRITICALITY_HEADER } from '../../src/core/headers.ts';
import { CRITICALITIES } from '../../src/model/traffic.ts';
import { nextArrivalMs } from '../../src/sim/load.ts';
import { quantile } from '../../src/sim/quantile.ts';
import { streamOf } from '../../src/sim/seeded-random.ts';
import { configOf, SERVICE } from './replay-case.ts';
import { caseOf } from './replay-cases.ts';
import { type Begin, type ChildPlan, type ClientReport, type Ports, wallMs } from './replay-protocol.ts';

/** Longest wait for the last calls beyond their deadline. */
const DRAIN_MS = 5_000;

interface Seen {
  readonly startedAtMs: number;
  readonly criticality: number;
  tookMs: number;
  isGood: boolean;
  isRefused: boolean;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as ChildPlan;
const one = caseOf(plan);
const { load, timeoutMs, durationMs } = one;
const random = streamOf(plan.seed, `load ${plan.index}`);
const seen: Seen[] = [];
const lateMs: number[] = [];
let inFlight = 0;

type Send = (url: string, method: string, headers: Record<string, string>) => Promise<number>;

function senderOf(mesh: Mesh): Send {
  const viaFetch: Send = async (url, method, headers) => {
    const response = await mesh.fetch(url, { method, headers });
    await response.arrayBuffer();
    return response.status;
  };
  const viaUndici: Send = async (url, method, headers) => {
    const { statusCode, body } = await request(url, { method, headers, dispatcher: mesh.dispatcher });
    await body.arrayBuffer();
    return statusCode;
  };
  return plan.index % 2 === 0 ? viaFetch : viaUndici;
}

async function call(send: Send, startedAtMs: number, beganMs: number): Promise<void> {
  // In the order of the simulated client, so that both draw the same.
  const { method = 'GET', path = '/', headers, criticality } = load;
  const drawn = typeof path === 'string' ? path : path(random);
  const pairs = headers?.(random) ?? [];
  const named: Record<string, string> = {};
  for (let i = 0; i < pairs.length; i += 2) named[pairs[i] as string] = pairs[i + 1] as string;
  const word = criticality?.(random);
  if (word !== undefined) named[CRITICALITY_HEADER] = word;
  const entry: Seen = {
    startedAtMs,
    criticality: word === undefined ? -1 : CRITICALITIES.indexOf(word),
    tookMs: timeoutMs,
    isGood: false,
    isRefused: false,
  };
  seen.push(entry);
  inFlight++;
  try {
    entry.isGood = (await send(`http://${SERVICE}${drawn}`, method, named)) < 500;
    // From when the call was due: a client that is late itself keeps its users waiting, too.
    if (entry.isGood) entry.tookMs = wallMs() - beganMs - startedAtMs;
  } catch (error) {
    entry.isRefused = error instanceof MeshError && error.family === 'refused';
  }
  inFlight--;
}

/** Makes the calls whose time has come, then sleeps until the next. */
function run(send: Send, beganMs: number, onDone: () => void): void {
  const draw = (afterMs: number): number => nextArrivalMs(load, one.clients, afterMs, random);
  let nextMs = draw(0);
  const tick = (): void => {
    const nowMs = wallMs() - beganMs;
    while (nextMs <= nowMs && nextMs < durationMs) {
      lateMs.push(nowMs - nextMs);
      void call(send, nextMs, beganMs);
      nextMs = draw(nextMs);
    }
    if (nextMs < durationMs) setTimeout(tick, Math.max(1, Math.ceil(nextMs - nowMs)));
    else setTimeout(drain, Math.max(1, durationMs - nowMs), wallMs() + (durationMs - nowMs) + timeoutMs + DRAIN_MS);
  };
  const drain = (untilMs: number): void => {
    if (inFlight > 0 && wallMs() < untilMs) setTimeout(drain, 20, untilMs);
    else onDone();
  };
  tick();
}

function report(): ClientReport {
  const late = lateMs.toSorted((a, b) => a - b);
  return {
    startedAtMs: seen.map(({ startedAtMs }) => startedAtMs),
    tookMs: seen.map(({ tookMs }) => tookMs),
    isGood: seen.map(({ isGood }) => isGood),
    isRefused: seen.map(({ isRefused }) => isRefused),
    criticality: seen.map(({ criticality }) => criticality),
    lateP99Ms: quantile(late, 0.99),
    lateMaxMs: late.at(-1) ?? 0,
  };
}

/** A rejection ends the process, and the parent is told why. */
async function open(ports: readonly number[]): Promise<void> {
  const config = configOf(
    one,
    ports.map((port) => `127.0.0.1:${port}`),
  );
  send = senderOf(await createMesh({ config, watch: false, telemetry: { spans: 'off', metrics: 'off' } }));
  process.send?.({ ready: true });
}

function finish(): void {
  process.send?.(inFlight === 0 ? report() : { failed: `${inFlight} calls never ended` });
}

let send: Send;
process.on('disconnect', () => process.exit());
process.on('message', (message: Ports | Begin) => {
  if ('begin' in message) setTimeout(() => run(send, message.begin, finish), Math.max(1, message.begin - wallMs()));
  else void open(message.ports);
});
process.send?.({ ready: true });
