// A MeshDispatcher over services that the test plays, and the handlers that it dispatches with.
import type { Dispatcher } from 'undici';
import type { Call, Reply } from '../../src/core/call.ts';
import type { Service } from '../../src/core/service.ts';
import { parseDuration } from '../../src/model/duration.ts';
import { MeshDispatcher } from '../../src/transport/dispatcher.ts';
import type { Outbound } from '../../src/transport/outbound.ts';
import { fakeReply, type FakeReply } from '../support/fake-service.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

export type Options = Omit<Dispatcher.DispatchOptions, 'body'> & { body?: unknown } & Record<string, unknown>;

export function dispatch(dispatcher: Dispatcher, options: Options, handler: Dispatcher.DispatchHandler): boolean {
  return dispatcher.dispatch(options as Dispatcher.DispatchOptions, handler);
}

export interface Bench {
  readonly dispatcher: MeshDispatcher;
  /** Calls that reached the service. */
  readonly calls: Call[];
  answer(reply: Reply): Promise<void>;
  fail(error: unknown): Promise<void>;
  closed: number;
}

export function bench(outbound: Partial<Outbound> = {}): Bench {
  const calls: Call[] = [];
  const pending: { resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = [];
  const service: Service = (call) => {
    calls.push(call);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    pending.push({ resolve, reject });
    return promise;
  };
  const reviews = { scheme: 'http', authority: 'reviews', service, bodyBytesMax: 65_536 };
  const known: Outbound = {
    clock: new VirtualClock(),
    origin: (origin) => (origin === 'http://reviews' ? reviews : null),
    refusesUnknown: false,
    isClosed: false,
  };
  const made: Bench = {
    calls,
    closed: 0,
    dispatcher: new MeshDispatcher(
      { ...known, ...outbound },
      {
        parseDuration: (text) => parseDuration(text) ?? 0,
        onClose: () => {
          made.closed++;
          return Promise.resolve();
        },
      },
    ),
    answer(reply) {
      pending.shift()?.resolve(reply);
      return settle();
    },
    fail(error) {
      pending.shift()?.reject(error);
      return settle();
    },
  };
  return made;
}

export type Hook =
  | 'onRequestStart'
  | 'onResponseStarted'
  | 'onResponseStart'
  | 'onResponseData'
  | 'onResponseEnd'
  | 'onResponseError'
  | 'onRequestUpgrade';

/** Notes what it is told; does something of its own in a hook when asked. */
export class Handler implements Dispatcher.DispatchHandler {
  readonly log: string[] = [];
  controller: Dispatcher.DispatchController | null = null;
  error: unknown = undefined;
  readonly #act: Partial<Record<Hook, (controller: Dispatcher.DispatchController) => void>>;

  constructor(act: Partial<Record<Hook, (controller: Dispatcher.DispatchController) => void>> = {}) {
    this.#act = act;
  }

  #note(hook: Hook, text: string, controller: Dispatcher.DispatchController | null): void {
    this.log.push(text);
    if (controller !== null) this.controller = controller;
    this.#act[hook]?.(controller as Dispatcher.DispatchController);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#note('onRequestStart', 'start', controller);
  }

  onResponseStarted(): void {
    this.#note('onResponseStarted', 'started', null);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#note('onResponseStart', String(status), controller);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#note('onResponseData', chunk.toString(), controller);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#note('onResponseEnd', 'end', controller);
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    this.error = error;
    this.#note('onResponseError', `error ${error.message}`, controller);
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController): void {
    this.#note('onRequestUpgrade', 'upgrade', controller);
  }
}

export const GET: Options = { origin: 'http://reviews', path: '/', method: 'GET' };
export const bytes = (text: string): Buffer => Buffer.from(text);
export const FULL = ['start', 'started', '200', 'body', 'end'];

export function body200(): FakeReply {
  const reply = fakeReply(200);
  reply.send(bytes('body'));
  reply.end();
  return reply;
}

/** As undici 6, and built-in fetch of Node 22 and 24, write it. */
export function legacyHandler(answers: { data?: boolean } = {}): {
  log: string[];
  abort: (reason?: Error) => void;
  resume: () => void;
  handler: Dispatcher.DispatchHandler;
} {
  const seen = { log: [] as string[], abort: (_reason?: Error): void => {}, resume: (): void => {} };
  const handler = {
    onConnect: (abort: (reason?: Error) => void) => {
      seen.log.push('connect');
      seen.abort = abort;
    },
    onHeaders: (status: number, rawHeaders: Buffer[], resume: () => void, text: string) => {
      seen.log.push(`${status} ${rawHeaders.map(String).join(':')} ${text}`.trim());
      seen.resume = resume;
      return true;
    },
    onData: (chunk: Buffer) => {
      seen.log.push(chunk.toString());
      return answers.data ?? true;
    },
    onComplete: () => void seen.log.push('complete'),
    onError: (error: Error) => void seen.log.push(`error ${error.message}`),
  };
  return Object.assign(seen, { handler: handler as unknown as Dispatcher.DispatchHandler });
}
