// One world for all edges: three endpoints that answer as told, reached by fetch, undici, and gRPC calls of each shape. What a
// call comes to is one word, the same for all edges: the name of the endpoint, the kind of its bad answer, or `!code` of ours.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { request } from 'undici';
import { runAt, systemClock } from '../../src/core/clock.ts';
import { MeshError } from '../../src/core/errors.ts';
import { channel } from '../../src/grpc.ts';
import type { Mesh } from '../../src/mesh/mesh.ts';
import { EchoClientClass, type EchoClient, grpcServer, type GrpcServer } from '../support/grpc-server.ts';

/** How an endpoint answers. `slow 50`: well, after 50 ms. */
export type Play = 'ok' | 'unavailable' | 'internal' | 'exhausted' | 'missing' | 'hang' | `slow ${number}`;

export interface EdgeEndpoint {
  readonly name: string;
  readonly address: string;
  play: Play;
  /** Headers of the calls that reached it. */
  readonly seen: Readonly<Record<string, unknown>>[];
  /** Waits until so many calls have reached it. */
  reached(count: number): Promise<void>;
  close(): Promise<void>;
}

export interface CallInit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly service?: string;
}

export type EdgeCall = (init?: CallInit) => Promise<string>;

export interface Edge {
  readonly name: string;
  /** Whether the caller says all before he waits. */
  readonly isWhole: boolean;
  endpoint(name: string): Promise<EdgeEndpoint>;
  caller(mesh: Mesh): EdgeCall;
}

const PATH = '/test.Echo/Unary';
const HTTP: Readonly<Record<string, number>> = { unavailable: 503, internal: 500, exhausted: 429, missing: 404 };
const GRPC: Readonly<Record<string, number>> = { unavailable: 14, internal: 13, exhausted: 8, missing: 5 };

class Seen {
  readonly all: Readonly<Record<string, unknown>>[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(headers: Readonly<Record<string, unknown>>): void {
    this.all.push(headers);
    for (const { count, resolve } of this.#waiting) if (this.all.length >= count) resolve();
  }

  reached(count: number): Promise<void> {
    return this.all.length >= count ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** A slow endpoint is slow in real time. */
function later(run: () => void, play: Play): void {
  if (play.startsWith('slow ')) runAt(systemClock, systemClock.now() + Number(play.slice(5)), run);
  else run();
}

async function httpEndpoint(name: string): Promise<EdgeEndpoint> {
  const seen = new Seen();
  const endpoint = { name, play: 'ok' as Play, seen: seen.all, reached: (count: number) => seen.reached(count) };
  const answer = (response: ServerResponse): void => {
    const { play } = endpoint;
    if (play === 'hang') return;
    const status = HTTP[play];
    if (status === undefined) later(() => response.end(name), play);
    else response.writeHead(status, play === 'exhausted' ? { 'retry-after': '0' } : {}).end();
  };
  const server: Server = createServer((message: IncomingMessage, response) => {
    seen.add(message.headers);
    message.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return Object.assign(endpoint, { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close });
}

async function grpcEndpoint(name: string): Promise<EdgeEndpoint> {
  const seen = new Seen();
  const server: GrpcServer = await grpcServer(name);
  const endpoint = { name, play: 'ok' as Play, seen: seen.all, reached: (count: number) => seen.reached(count) };
  const answer = (metadata: grpc.Metadata, ok: () => void, bad: (error: Partial<grpc.StatusObject>) => void): void => {
    seen.add(metadata.getMap());
    const { play } = endpoint;
    if (play === 'hang') return;
    const code = GRPC[play];
    if (code === undefined) {
      later(ok, play);
      return;
    }
    const trailers = new grpc.Metadata();
    if (play === 'exhausted') trailers.set('grpc-retry-pushback-ms', '0');
    bad({ code, details: play, metadata: trailers });
  };
  const { handlers } = server;
  handlers.unary = (call, callback) =>
    answer(
      call.metadata,
      () => callback(null, Buffer.from(name)),
      (error) => callback(error),
    );
  handlers.serverStream = (call) =>
    answer(
      call.metadata,
      () => {
        call.write(Buffer.from(name));
        call.end();
      },
      (error) => call.emit('error', error),
    );
  handlers.clientStream = (call, callback) => {
    call.on('error', () => {});
    call.resume().on('end', () =>
      answer(
        call.metadata,
        () => callback(null, Buffer.from(name)),
        (error) => callback(error),
      ),
    );
  };
  handlers.bidi = (call) => {
    call.on('error', () => {});
    call.resume().on('end', () =>
      answer(
        call.metadata,
        () => {
          call.write(Buffer.from(name));
          call.end();
        },
        (error) => call.emit('error', error),
      ),
    );
  };
  return Object.assign(endpoint, { address: server.address, close: server.close });
}

function wordOfStatus(status: number, text: string): string {
  if (status === 200) return text;
  return Object.keys(HTTP).find((key) => HTTP[key] === status) ?? String(status);
}

function wordOfError(error: unknown): string {
  if (error instanceof MeshError) return `!${error.code}`;
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: unknown };
  if (cause instanceof MeshError) return `!${cause.code}`;
  if (name === 'AbortError' || code === 1) return '!canceled';
  if (code === 4) return '!deadline_exceeded';
  return Object.keys(GRPC).find((key) => GRPC[key] === code) ?? String(error);
}

const http = { endpoint: httpEndpoint, isWhole: true };

const fetchEdge: Edge = {
  ...http,
  name: 'fetch',
  caller:
    (mesh) =>
    async ({ headers = {}, timeoutMs, signal, service = 'reviews' } = {}) => {
      try {
        const init = { method: 'POST', body: 'x', headers, ...(signal === undefined ? {} : { signal }) };
        const response = await mesh.fetch(`http://${service}${PATH}`, {
          ...init,
          ...(timeoutMs === undefined ? {} : { mesh: { timeout: timeoutMs } }),
        });
        return wordOfStatus(response.status, await response.text());
      } catch (error) {
        return wordOfError(error);
      }
    },
};

const undiciEdge: Edge = {
  ...http,
  name: 'undici',
  caller:
    (mesh) =>
    async ({ headers = {}, timeoutMs, signal, service = 'reviews' } = {}) => {
      try {
        const options = {
          method: 'POST',
          body: 'x',
          headers,
          dispatcher: mesh.dispatcher,
          ...(signal === undefined ? {} : { signal }),
        } as const;
        const mine = timeoutMs === undefined ? options : { ...options, mesh: { timeout: timeoutMs } };
        const { statusCode, body } = await request(`http://${service}${PATH}`, mine);
        return wordOfStatus(statusCode, await body.text());
      } catch (error) {
        return wordOfError(error);
      }
    },
};

type Begin = (
  client: EchoClient,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  done: (error: unknown, text: string) => void,
) => { cancel(): void };

/** A stream that gives one message, or its status. */
function collect(
  stream: grpc.ClientReadableStream<Buffer> | grpc.ClientDuplexStream<Buffer, Buffer>,
  done: (error: unknown, text: string) => void,
): void {
  let text = '';
  stream.on('data', (message: Buffer) => {
    text += message.toString();
  });
  stream.on('error', (error) => done(error, text));
  stream.on('end', () => {
    if (text !== '') done(null, text);
  });
}

const KINDS: Readonly<Record<string, Begin>> = {
  'gRPC unary': (client, metadata, options, done) =>
    client.unary(Buffer.from('x'), metadata, options, (error, value) => done(error, value?.toString() ?? '')),
  'gRPC server stream': (client, metadata, options, done) => {
    const stream = client.serverStream(Buffer.from('x'), metadata, options);
    collect(stream, done);
    return stream;
  },
  'gRPC client stream': (client, metadata, options, done) => {
    const stream = client.clientStream(metadata, options, (error, value) => done(error, value?.toString() ?? ''));
    stream.on('error', () => {});
    stream.write(Buffer.from('x'));
    stream.end();
    return stream;
  },
  'gRPC bidi': (client, metadata, options, done) => {
    const stream = client.bidi(metadata, options);
    collect(stream, done);
    stream.write(Buffer.from('x'));
    stream.end();
    return stream;
  },
};

function grpcEdge(name: string, begin: Begin): Edge {
  return {
    name,
    isWhole: name === 'gRPC unary' || name === 'gRPC server stream',
    endpoint: grpcEndpoint,
    caller(mesh) {
      const clients: Map<string, EchoClient> = new Map();
      const clientOf = (service: string): EchoClient => {
        let client = clients.get(service);
        if (client === undefined) {
          const channelOverride = channel(mesh, service);
          client = new EchoClientClass(service, grpc.credentials.createInsecure(), { channelOverride });
          clients.set(service, client);
        }
        return client;
      };
      return ({ headers = {}, timeoutMs, signal, service = 'reviews' } = {}) =>
        new Promise((resolve) => {
          const metadata = new grpc.Metadata();
          for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
          const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
          const call = begin(clientOf(service), metadata, options, (error, text) => resolve(error === null ? text : wordOfError(error)));
          if (signal?.aborted === true) call.cancel();
          signal?.addEventListener('abort', () => call.cancel());
        });
    },
  };
}

export const EDGES: readonly Edge[] = [fetchEdge, undiciEdge, ...Object.entries(KINDS).map(([name, begin]) => grpcEdge(name, begin))];
