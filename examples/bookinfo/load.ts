// The users. They come when they come (Poisson arrivals), whether or not earlier ones were served; each asks both lanes
// for the same page at the same moment. Latency counts from the moment they came, not from when we got round to sending.
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane } from './messages.ts';

export interface Visit {
  readonly lane: Lane;
  readonly phase: number;
  /** As performance.now() has it. */
  readonly arrivedAtMs: number;
  readonly isMobile: boolean;
  readonly isAnswered: boolean;
  readonly latencyMs: number;
  /** Version that the split drew, and the one that answered in the end; '' when not known. */
  readonly drawn: string;
  readonly version: string;
  readonly retries: number;
}

export interface LoadOptions {
  readonly usersPerSecond: number;
  readonly seed: number;
  /** Port of the page, by lane. */
  readonly ports: Readonly<Record<Lane, number>>;
  readonly currentPhase: () => number;
  readonly onVisit: (visit: Visit) => void;
}

const MOBILE_SHARE = 0.2;
const AGENT_MOBILE = 'Mozilla/5.0 (phone; mobile) bookinfo';
const AGENT_DESKTOP = 'Mozilla/5.0 (desktop) bookinfo';
const PATIENCE_MS = 5_000;

/** mulberry32: the same users in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class Load {
  readonly #options: LoadOptions;
  readonly #random: () => number;
  readonly #agent: Agent = new Agent({ keepAlive: true, maxSockets: 512 });
  readonly #open: Set<Promise<void>> = new Set();
  #stopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
  }

  async run(): Promise<void> {
    let arrivalMs = performance.now();
    while (!this.#stopped) {
      arrivalMs -= (Math.log(1 - this.#random()) * 1_000) / this.#options.usersPerSecond;
      const waitMs = arrivalMs - performance.now();
      if (waitMs > 0.5) await sleep(waitMs);
      if (this.#stopped) break;
      const isMobile = this.#random() < MOBILE_SHARE;
      this.#visit('plain', arrivalMs, isMobile);
      this.#visit('inmesh', arrivalMs, isMobile);
    }
  }

  /** No more users; resolves when the last has been served. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  #visit(lane: Lane, arrivalMs: number, isMobile: boolean): void {
    const phase = this.#options.currentPhase();
    const visit = ask(this.#agent, this.#options.ports[lane], isMobile).then((answer) => {
      this.#open.delete(visit);
      this.#options.onVisit({ lane, phase, arrivedAtMs: arrivalMs, isMobile, latencyMs: performance.now() - arrivalMs, ...answer });
    });
    this.#open.add(visit);
  }
}

type PageAnswer = Pick<Visit, 'isAnswered' | 'drawn' | 'version' | 'retries'>;
const LOST: PageAnswer = { isAnswered: false, drawn: '', version: '', retries: 0 };

function ask(agent: Agent, port: number, isMobile: boolean): Promise<PageAnswer> {
  return new Promise((resolve) => {
    const headers = { 'user-agent': isMobile ? AGENT_MOBILE : AGENT_DESKTOP };
    const request = get({ host: '127.0.0.1', port, path: '/productpage', agent, headers, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      response.on('error', () => resolve(LOST));
      response.on('end', () => {
        const text = (name: string): string => String(response.headers[name] ?? '');
        resolve({
          isAnswered: response.statusCode === 200,
          drawn: text('x-drawn'),
          version: text('x-version'),
          retries: Number(text('x-retries')),
        });
      });
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(LOST));
  });
}
