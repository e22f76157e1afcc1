// A child process of the run: started, asked, ended by its id. Nothing outlives the parent: children leave when the channel
// to it closes, and proxies are killed when it exits.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { processTimeUs } from './processor-time.ts';
import type { Failed } from './protocol.ts';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

/** Ends the process with the run at the latest. */
export function track(child: ChildProcess): void {
  running.add(child);
  child.once('exit', () => running.delete(child));
}

/** CPU time of the run so far, all its living processes together, µs. */
export function runTimeUs(): number {
  const { user, system } = process.cpuUsage();
  return [...running].reduce((sum, child) => sum + processTimeUs(child.pid), user + system);
}

/**
 * V8 lets the young generation grow up to this size while a process loads its modules, and decides by its size what it puts into the
 * old space for good. A process with nothing but a client in it never gets there, any application does: undici alone makes a third
 * fewer calls per second then, whatever was loaded. So all processes begin where an application is.
 */
export const YOUNG_GENERATION: readonly string[] = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  #errors = '';

  constructor(script: string, argument: unknown, nodeFlags: readonly string[] = []) {
    this.#name = script;
    this.#process = fork(fileURLToPath(new URL(script, import.meta.url)), [JSON.stringify(argument)], {
      execArgv: ['--disable-warning=ExperimentalWarning', ...nodeFlags],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4_000);
    });
    track(this.#process);
  }

  /** The next message, or the reason why there is none. */
  answer<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#process.off('message', onMessage);
        this.#process.off('exit', onExit);
      };
      const onMessage = (message: T | Failed): void => {
        done();
        if (typeof message === 'object' && message !== null && 'failed' in message) reject(new Error(message.failed));
        else resolve(message);
      };
      const onExit = (code: number | null): void => {
        done();
        reject(new Error(`${this.#name} ended with ${code}.\n${this.#errors}`));
      };
      this.#process.on('message', onMessage);
      this.#process.on('exit', onExit);
    });
  }

  ask<T>(message: object): Promise<T> {
    const answer = this.answer<T>();
    this.#process.send(message);
    return answer;
  }

  /** After a failure: a child that still runs would keep this process waiting. */
  static stopAll(): void {
    for (const child of running) child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGKILL');
    await gone;
  }
}
