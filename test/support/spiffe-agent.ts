// A SPIFFE agent for tests: speaks FetchX509SVID on a unix socket or a TCP port, says what it is told, and remembers who asked.
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createPrivateKey } from 'node:crypto';
import { pemBytes } from '../../src/identity/pem.ts';
import { protobufField } from '../../src/identity/protobuf.ts';

export interface AgentSvid {
  readonly spiffeId: string;
  /** PEM. */
  readonly chain: readonly string[];
  readonly key: string;
  readonly bundle: readonly string[];
  readonly hint?: string;
}

export interface AgentState {
  readonly svids: readonly AgentSvid[];
  readonly federated?: Readonly<Record<string, readonly string[]>>;
  readonly crls?: readonly string[];
}

export interface SpiffeAgent {
  /** `unix:///path` or `tcp://127.0.0.1:port`. */
  readonly address: string;
  readonly asked: IncomingHttpHeaders[];
  /** To all who listen now, and to those who come. */
  push(state: AgentState): void;
  pushBytes(message: Uint8Array): void;
  /** Bytes as they are, without a frame. */
  pushRaw(bytes: Uint8Array): void;
  /** Ends all streams with a status of gRPC; and those that come, until the next push. */
  refuse(status: number, message?: string): void;
  /** Answers with a status of HTTP, until the next push. */
  refuseHttp(status: number): void;
  /** Cuts all connections. */
  cut(): void;
  /** Settles when somebody has asked so many times. */
  whenAsked(times: number): Promise<void>;
  close(): void;
}

function concatenated(certs: readonly string[]): Buffer {
  return Buffer.concat(certs.map(pemBytes));
}

export function svidMessage({ svids, federated = {}, crls = [] }: AgentState): Buffer {
  return Buffer.concat([
    ...svids.map(({ spiffeId, chain, key, bundle, hint }) => {
      const der = key === '' ? Buffer.alloc(0) : createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
      const fields = [
        protobufField(1, spiffeId),
        protobufField(2, concatenated(chain)),
        protobufField(3, der),
        protobufField(4, concatenated(bundle)),
      ];
      return protobufField(1, Buffer.concat([...fields, ...(hint === undefined ? [] : [protobufField(5, hint)])]));
    }),
    ...crls.map((crl) => protobufField(2, pemBytes(crl))),
    ...Object.entries(federated).map(([domain, certs]) =>
      protobufField(3, Buffer.concat([protobufField(1, domain), protobufField(2, concatenated(certs))])),
    ),
  ]);
}

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `path`: of a unix socket; absent: a TCP port. */
export async function spiffeAgent(path?: string): Promise<SpiffeAgent> {
  const server: Http2Server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  const streams = new Set<ServerHttp2Stream>();
  const asked: IncomingHttpHeaders[] = [];
  const waiting: { readonly times: number; readonly resolve: () => void }[] = [];
  let greet: (stream: ServerHttp2Stream) => void = () => {};
  const answer = (stream: ServerHttp2Stream): void =>
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    asked.push(headers);
    stream.on('error', () => {});
    streams.add(stream);
    stream.on('close', () => streams.delete(stream));
    greet(stream);
    for (const { times, resolve } of waiting) if (asked.length >= times) resolve();
  });
  await new Promise<void>((resolve) => (path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve)));

  const everyone = (bytes: Uint8Array): void => {
    greet = (stream) => {
      answer(stream);
      stream.write(bytes);
    };
    for (const stream of streams) {
      if (!stream.headersSent) answer(stream);
      stream.write(bytes);
    }
  };
  return {
    address: path === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${path}`,
    asked,
    push: (state) => everyone(framed(svidMessage(state))),
    pushBytes: (message) => everyone(framed(message)),
    pushRaw: everyone,
    refuse(status, message) {
      const trailers = { 'grpc-status': String(status), ...(message === undefined ? {} : { 'grpc-message': message }) };
      greet = (stream) => stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
      for (const stream of streams) {
        if (stream.headersSent) {
          stream.on('wantTrailers', () => stream.sendTrailers(trailers));
          stream.end();
        } else greet(stream);
      }
    },
    refuseHttp(status) {
      greet = (stream) => stream.respond({ ':status': status }, { endStream: true });
      for (const stream of streams) greet(stream);
    },
    cut() {
      for (const session of sessions) session.destroy();
    },
    whenAsked: (times) =>
      new Promise((resolve) => {
        if (asked.length >= times) resolve();
        else waiting.push({ times, resolve });
      }),
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}
