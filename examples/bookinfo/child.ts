// What every service process does: open its doors, tell the parent the ports, misbehave when told to, and die with the
// parent. The channel closes when the parent ends, whatever ended it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellCounts } from './counter.ts';
import { type Fault, LANES, type Lane, type PlainTargets, type ToChild, tell } from './messages.ts';
import type { Wires } from './wires.ts';

export interface Work {
  readonly wires: Wires;
  readonly userAgent: string;
}

/** Answers one GET: the JSON to send. `headers` are sent along. */
export type Handler = (
  work: Work,
) => Promise<{ readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }>;

/** Time that real work would take: a floor and a tail, ms. */
export async function work(floorMs: number, tailMs: number): Promise<void> {
  await sleep(floorMs - Math.log(1 - Math.random()) * tailMs);
}

let fault: Fault = {};
let targets: PlainTargets = { addresses: {}, reviewsWeights: {} };

/** Serves `handle` over HTTP, behind the doors named in $LANES. */
export function serve(handle: Handler): Promise<void> {
  return open((wires, port) => wires.openHttp((req, res) => void respond(req, res, () => handle(workOf(req, wires))), port));
}

/** Opens the doors named in $LANES. `openDoor` resolves with the port of one. */
export async function open(openDoor: (wires: Wires, port: number) => Promise<number>): Promise<void> {
  const opened: Wires[] = [];
  process.on('message', (message: ToChild) => {
    if (message.type === 'fault') fault = message.fault;
    else if (message.type === 'targets') targets = message.targets;
    else for (const wires of opened) void trespass(wires);
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the parent decides when we end.

  const doors: Record<Lane, number> = { plain: 0, inmesh: 0 };
  for (const lane of LANES) {
    if (!process.env['LANES']?.includes(lane)) continue;
    const wires = await wiresOf(lane);
    doors[lane] = await openDoor(wires, Number(process.env[`PORT_${lane}`] ?? 0));
    opened.push(wires);
  }
  tellCounts();
  tell({ type: 'listening', doors });
}

// Imported when needed: the plain page has nothing of inmesh or OpenTelemetry in its process.
async function wiresOf(lane: Lane): Promise<Wires> {
  if (lane === 'plain') return (await import('./lane-plain.ts')).plainLane(() => targets);
  return (await import('./lane-inmesh.ts')).inmeshLane();
}

function workOf(req: IncomingMessage, wires: Wires): Work {
  return { wires, userAgent: req.headers['user-agent'] ?? '' };
}

async function respond(req: IncomingMessage, res: ServerResponse, handle: () => ReturnType<Handler>): Promise<void> {
  req.resume();
  if (fault.status !== undefined) return send(res, fault.status, {}, { error: 'out of order' });
  if (fault.delayMs !== undefined) await sleep(fault.delayMs);
  // Nobody waits any more: the work would be for nothing, and so would that of others.
  if (res.destroyed) return;
  try {
    const { status = 200, headers = {}, body } = await handle();
    send(res, status, headers, body);
  } catch (error) {
    send(res, 502, {}, { error: String(error) });
  }
}

function send(res: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}

async function trespass(wires: Wires): Promise<void> {
  for (const { service, answer } of (await wires.trespass?.()) ?? []) tell({ type: 'trespassed', service, answer });
}
