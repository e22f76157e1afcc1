// A server of ours on loopback with an inbound stack wired by hand, and a caller that shows all it gets.
import { Agent, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse, request as httpRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { createServer } from '../../src/inbound/server.ts';
import { Inbound } from '../../src/mesh/inbound.ts';
import { ADMISSION_DEFAULTS, type AdmissionPolicy } from '../../src/model/inbound.ts';

export interface RealServer {
  readonly server: Server;
  readonly inbound: Inbound;
  readonly port: number;
  /** Connections accepted so far. */
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** `admission`: changes to the defaults; null: none. */
export async function serve(listener: Listener, admission: Partial<AdmissionPolicy> | null = {}): Promise<RealServer> {
  const policy = admission === null ? null : { ...ADMISSION_DEFAULTS, ...admission };
  const inbound = new Inbound({ mtls: 'disable', admission: policy }, systemClock);
  const server = createServer({ clock: systemClock, inbound }, listener);
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, inbound, port: (server.address() as AddressInfo).port, sockets, close: () => inbound.close(0) };
}

/** `count` calls at once, and no more however long. */
export function exactly(count: number): Partial<AdmissionPolicy> {
  return { limitMin: count, limitMax: count, limitInitial: count };
}

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

export function ask(port: number, { body, ...options }: Asked = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** One connection that stays. */
export function oneConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** A listener whose calls wait until the test answers them. */
export class Held {
  readonly calls: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  #wanted: { readonly count: number; readonly resolve: () => void } | null = null;

  readonly listener: Listener = (request, response) => {
    this.calls.push({ request, response });
    if (this.#wanted !== null && this.calls.length >= this.#wanted.count) this.#wanted.resolve();
  };

  /** Resolves when so many have come. */
  come(count: number): Promise<void> {
    if (this.calls.length >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = { count, resolve };
    });
  }

  answer(index: number, text = 'done'): void {
    this.calls[index]?.response.end(text);
  }
}
