// The event loop of this process, watched from outside: which turn it is in, and how late its turns come. A port, so that
// a test can hand in a loop of its own; the real one costs nothing while no server listens. Holds no process.
import * as hooks from 'node:perf_hooks';
import { nextTurn } from '../core/clock.ts';

export interface EventLoop {
  /** Number of the turn; a call whose number equals that of another was read from its socket in the same turn. */
  readonly turn: number;
  /** Begins to measure delay. Each start is undone by one stop. */
  start(): void;
  stop(): void;
  /** 99th percentile of the delay since the last look, ms; 0 when it is not measured. */
  delayMs(): number;
}

const RESOLUTION_MS = 20;

class ProcessLoop implements EventLoop {
  /** Made when a server first listens: workerd has none, and needs none to call out. */
  #monitor: hooks.IntervalHistogram | null = null;
  #users = 0;
  #turn = 0;
  #isCounting = false;

  get turn(): number {
    const { uvMetricsInfo } = hooks.performance.nodeTiming as { uvMetricsInfo?: { loopCount: number } };
    return uvMetricsInfo === undefined ? this.#ownTurn() : uvMetricsInfo.loopCount;
  }

  /** Bun and Deno do not count: so it is one turn until the next. */
  #ownTurn(): number {
    if (!this.#isCounting) {
      this.#isCounting = true;
      nextTurn(() => {
        this.#turn++;
        this.#isCounting = false;
      });
    }
    return this.#turn;
  }

  start(): void {
    if (this.#users++ > 0) return;
    this.#monitor ??= hooks.monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#monitor.reset();
    this.#monitor.enable();
  }

  stop(): void {
    if (--this.#users === 0) this.#monitor?.disable();
  }

  delayMs(): number {
    if (this.#monitor === null || this.#monitor.count === 0) return 0;
    // What is recorded is the time between two samples; the one that follows a reset is lost, so a stall that begins now
    // goes unseen, but not the next.
    const ms = this.#monitor.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#monitor.reset();
    return Math.max(0, ms);
  }
}

/** Shared by all meshes of the process. */
export const processLoop: EventLoop = new ProcessLoop();
