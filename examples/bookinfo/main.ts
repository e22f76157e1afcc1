// `npm start`: a small shop of services, the same troubles for two ways of calling, and what comes of it.
//   --seconds N   length of the story (default 20)    --json   only the summary, as JSON
//   --rate N      users per second (default 70)       --keep   leave everything running at the end
//   --seed N      other users
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Facts } from './facts.ts';
import { Load, type Visit } from './load.ts';
import type { Lane } from './messages.ts';
import { PHASES } from './phases.ts';
import { intro, printSummary } from './report.ts';
import { liveScreen, plainScreen, type Screen, silentScreen, type View } from './screen.ts';
import { statsOf } from './tally.ts';
import { retriedTrace, Traces, traceTree } from './trace-tree.ts';
import { summarize } from './verdict.ts';
import { type MeshEvent, World } from './world.ts';

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '70' },
    seed: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const totalS = Number(args.seconds);
const out = process.stdout;
const print = (text: string): void => void (args.json || out.write(`${text}\n`));

const WARM_UP = -1;
const OVER = -2;
const WARM_UP_STEP_MS = 500;
const WARM_UP_STEPS_MAX = 12;
const WARM_P95_MS = 80;

/** Short, so that nobody waits long before he takes the next one: a tenth of what is left is the most. */
const certificateLifeMs = (totalS + 30) * 1_000;
const RENEW_MS = 10_000;

const visits: Visit[] = [];
const facts = new Facts();
const news: { readonly phase: number; readonly text: string; readonly isEjection: boolean }[] = [];
const traces = new Traces(2_000);
let phase = WARM_UP;
let startedAt = performance.now();

const world = new World(
  {
    spans: (spans) => traces.add(spans),
    event: (process, event) => note(process, event),
    counts(service, counts) {
      if (phase >= 0) facts.add(service, phase, counts, isRenewed);
    },
    strangerCame(process, outcome) {
      facts.stranger = { called: process, outcome };
      tellNews(`a caller without a certificate got nothing but ${outcome} from ${process}`);
    },
    trespassed(process, service, answer) {
      facts.denied(service, { caller: process, answer });
      tellNews(`${process} called ${service}: ${answer}`);
    },
    issued(wanted) {
      if (phase < 0) return;
      facts.rotation = { generation: world.certificates.generation, startedAtMs: performance.now(), taken: new Map(), wanted };
      tellNews(`new certificates are issued to ${wanted} processes`);
    },
    crashed(name, stderr) {
      console.error(`${name} ended by itself. It said:\n${stderr}`);
      finish(1);
    },
  },
  certificateLifeMs,
);
process.once('SIGINT', () => finish(130));
process.once('SIGTERM', () => finish(143));
process.once('exit', () => world.stop());

print(intro());
// For a machine that is slow to start, and for --keep: certificates live as long as the story. In the story one rotation does.
setInterval(() => {
  if (phase < 0) world.rotate();
}, RENEW_MS);
await world.start();
const load = new Load({
  usersPerSecond: Number(args.rate),
  seed: Number(args.seed),
  ports: { plain: world.pagePort('plain'), inmesh: world.pagePort('inmesh') },
  currentPhase: () => phase,
  onVisit: (visit) => visit.phase !== OVER && visits.push(visit),
});
const users = load.run();
print('Warming up …');
await warmUp();

const screen: Screen = args.json ? silentScreen : out.isTTY ? liveScreen(out) : plainScreen(out);
startedAt = performance.now();
const redraw = setInterval(() => screen.draw(view()), 250);
for (phase = 0; phase < PHASES.length; phase++) {
  const current = PHASES[phase];
  if (current === undefined) break;
  const phaseMs = current.share * totalS * 1_000;
  const done = current.enter(world, phaseMs);
  await sleep(phaseMs);
  await done;
  screen.draw(view());
  current.leave?.(world);
}
clearInterval(redraw);
phase = OVER;
if (args.keep) await sleep(2_000);
else await load.stop();

const summary = summarize(
  visits.filter((visit) => visit.phase !== WARM_UP),
  facts,
);
const trace = retriedTrace(traces);
const tree = trace === null ? [] : traceTree(trace, (address) => world.nameOf(address));
if (args.json)
  out.write(`${JSON.stringify({ ...summary, ejections: news.filter((item) => item.isEjection).length, trace: tree }, null, 2)}\n`);
else printSummary(print, summary, tree, news.filter((item) => item.isEjection).length);
if (!args.keep) finish(summary.holds ? 0 : 1);
print(`\nStill running, troubles and all. Plain page http://127.0.0.1:${world.pagePort('plain')}/productpage`);
print(`inmesh page http://127.0.0.1:${world.pagePort('inmesh')}/productpage   config ${world.meshFilePath} (edit it)`);
print('Ctrl-C ends it.');
process.removeAllListeners('SIGINT');
process.once('SIGINT', () => finish(summary.holds ? 0 : 1));
await users;

/** Until sockets and compilers are warm: or the good days, the measure of all others, would look slower than they are. */
async function warmUp(): Promise<void> {
  let warmSteps = 0;
  for (let step = 0; step < WARM_UP_STEPS_MAX && warmSteps < 3; step++) {
    await sleep(WARM_UP_STEP_MS);
    const latencies = visits
      .splice(0)
      .map((visit) => visit.latencyMs)
      .sort((a, b) => a - b);
    warmSteps = (latencies[Math.floor(latencies.length * 0.95)] ?? Number.POSITIVE_INFINITY) < WARM_P95_MS ? warmSteps + 1 : 0;
  }
}

function note(process: string, event: MeshEvent): void {
  if (phase < 0) return;
  const service = process.split('-')[0] ?? '';
  if (event.type === 'callDenied') facts.denied(service, { policy: String(event['policy']) });
  else if (event.type === 'peerRefused') facts.refusals.push(String(event['code']));
  else if (event.type === 'identityRotated') facts.rotation?.taken.set(process, performance.now());
  else if (process === 'productpage-inmesh') tellPageNews(event);
}

/** What the mesh of the page decided. */
function tellPageNews(event: MeshEvent): void {
  const endpoint = world.nameOf(String(event['endpoint'] ?? ''));
  if (event.type === 'endpointEjected') {
    const seconds = (Number(event['forMs']) / 1_000).toFixed(1);
    tellNews(`inmesh leaves out ${endpoint} for ${seconds} s: ${event['reason']}`, true);
  } else if (event.type === 'endpointReturned') tellNews(`inmesh tries ${endpoint} again`);
  else if (event.type === 'configLoaded') tellNews('inmesh has read the new mesh.yaml');
  else tellNews(`${event.type} ${event['service'] ?? ''} ${event['message'] ?? event['reason'] ?? ''}`);
}

function isRenewed(fingerprint: string): boolean {
  return facts.rotation !== null && world.certificates.generationOf(fingerprint) >= facts.rotation.generation;
}

function tellNews(text: string, isEjection = false): void {
  news.push({ phase, isEjection, text: `${((performance.now() - startedAt) / 1_000).toFixed(1)} s  ${text}` });
}

function view(): View {
  const index = Math.min(phase, PHASES.length - 1);
  const of = (lane: Lane, isNow: boolean): Visit[] =>
    visits.filter((visit) => visit.lane === lane && visit.phase !== WARM_UP && (!isNow || visit.phase === index));
  const ejections = news.filter((item) => item.isEjection);
  return {
    elapsedS: (performance.now() - startedAt) / 1_000,
    totalS,
    phase: `${index + 1} of ${PHASES.length}`,
    story: PHASES[index]?.story ?? '',
    now: { plain: statsOf(of('plain', true)), inmesh: statsOf(of('inmesh', true)) },
    total: { plain: statsOf(of('plain', false)), inmesh: statsOf(of('inmesh', false)) },
    ejections: { now: ejections.filter((item) => item.phase === index).length, total: ejections.length },
    rpcs: {
      now: { plain: facts.rpcs('plain', index), inmesh: facts.rpcs('inmesh', index) },
      total: { plain: facts.rpcs('plain'), inmesh: facts.rpcs('inmesh') },
    },
    edges: facts.edges,
    news: news.map((item) => item.text),
  };
}

function finish(code: number): never {
  world.stop();
  process.exit(code);
}
