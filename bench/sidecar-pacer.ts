// The pace of an open loop, in a thread of its own: the timers of an event loop know whole milliseconds only, and are late when the
// loop is busy. Says when each call is due; calls come at random, as from many callers.
import { parentPort } from 'node:worker_threads';

export interface PaceOrder {
  readonly perSecond: number;
  readonly forMs: number;
}

const cell = new Int32Array(new SharedArrayBuffer(4));

function pace({ perSecond, forMs }: PaceOrder): void {
  let dueMs = performance.now();
  const untilMs = dueMs + forMs;
  for (;;) {
    dueMs += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
    if (dueMs >= untilMs) break;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) Atomics.wait(cell, 0, 0, waitMs);
    // Threads count from different beginnings.
    parentPort?.postMessage(performance.timeOrigin + dueMs);
  }
  parentPort?.postMessage(null);
}

parentPort?.on('message', pace);
