// How one service reaches another and is reached: the only thing in which the two lanes differ.
import type { RequestListener } from 'node:http';
import type { BookRatings, RatingsHandlers } from './ratings-rpc.ts';

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
  /** The ratings service, by gRPC. */
  ratings(): Promise<BookRatings>;
  /** Opens the door of a service; resolves with its port. 0: any. */
  openHttp(listener: RequestListener, port: number): Promise<number>;
  openRatings(handlers: RatingsHandlers, port: number): Promise<number>;
  /** Calls what not every service may call, and tells what came of it. Absent: here nobody is kept from anything. */
  trespass?(): Promise<readonly Trespass[]>;
}

export interface Trespass {
  readonly service: string;
  /** Status and text, as they came. */
  readonly answer: string;
}
