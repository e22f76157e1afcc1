// How one service reaches another and is reached: the only thing in which the two lanes differ.
import type { RequestListener, Server } from 'node:http';

/** What another service said. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** Version that the split drew, '' where nothing is split. */
  readonly drawn: string;
  /** Tries beyond the first. */
  readonly retries: number;
}

export interface Wires {
  get(service: string, path: string, userAgent: string): Promise<Answer>;
  createServer(listener: RequestListener): Server;
}
