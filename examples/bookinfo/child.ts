// What every service process does: open its doors, tell the parent the ports, misbehave when told to, and die with the
// parent. The channel closes when the parent ends, whatever ended it.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** Longer than the story: a socket that a server closes while a call is on its way to it would be a trouble of its own. */
const KEEP_ALIVE_MS = 120_000;

/** Opens the doors named in $LANES and serves `handle` behind each of them. */
export async function serve(handle: Handler): Promise<void> {
  let fault: Fault = {};
  let targets: PlainTargets = { addresses: {}, reviewsWeights: {} };
  process.on('message', (message: ToChild) => {
    if (message.type === 'fault') fault = message.fault;
    else targets = message.targets;
  });
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the parent decides when we end.

  const doors: Record<Lane, number> = { plain: 0, inmesh: 0 };
  for (const lane of LANES) {
    if (!process.env['LANES']?.includes(lane)) continue;
    const wires = await wiresOf(lane);
    const server = wires.createServer((req, res) => void respond(req, res, wires));
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    doors[lane] = await listen(server, Number(process.env[`PORT_${lane}`] ?? 0));
  }
  tell({ type: 'listening', doors });

  // Imported when needed: the plain page has nothing of inmesh or OpenTelemetry in its process.
  async function wiresOf(lane: Lane): Promise<Wires> {
    if (lane === 'plain') return (await import('./lane-plain.ts')).plainLane(() => targets);
    return (await import('./lane-inmesh.ts')).inmeshLane();
  }

  async function respond(req: IncomingMessage, res: ServerResponse, wires: Wires): Promise<void> {
    req.resume();
    if (fault.status !== undefined) return send(res, fault.status, {}, { error: 'out of order' });
    if (fault.delayMs !== undefined) await sleep(fault.delayMs);
    try {
      const { status = 200, headers = {}, body } = await handle({ wires, userAgent: req.headers['user-agent'] ?? '' });
      send(res, status, headers, body);
    } catch (error) {
      send(res, 502, {}, { error: String(error) });
    }
  }
}

function send(res: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
