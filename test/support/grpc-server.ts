// A real gRPC server of bytes on loopback: four methods, one of each kind, that answer as told. Counts what reaches it.
import * as grpc from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const ECHO = {
  unary: method('Unary', false, false),
  serverStream: method('ServerStream', false, true),
  clientStream: method('ClientStream', true, false),
  bidi: method('Bidi', true, true),
};

export type EchoHandlers = {
  unary: grpc.handleUnaryCall<Buffer, Buffer>;
  serverStream: grpc.handleServerStreamingCall<Buffer, Buffer>;
  clientStream: grpc.handleClientStreamingCall<Buffer, Buffer>;
  bidi: grpc.handleBidiStreamingCall<Buffer, Buffer>;
};

export interface GrpcServer {
  readonly address: string;
  readonly name: string;
  /** Metadata of the calls so far, as they came. */
  readonly seen: grpc.Metadata[];
  /** What answers from now on. */
  readonly handlers: EchoHandlers;
  readonly server: grpc.Server;
  close(): Promise<void>;
}

/** Numbers of messages: as text in the request. */
function echoHandlers(name: string): EchoHandlers {
  return {
    unary: (call, callback) => callback(null, Buffer.from(`${name}:${call.request.toString()}`)),
    serverStream: (call) => {
      const count = Number(call.request.toString());
      let next = 0;
      const more = (): void => {
        while (next < count) if (!call.write(Buffer.from(String(next++)))) return void call.once('drain', more);
        call.end();
      };
      more();
    },
    clientStream: (call, callback) => {
      let count = 0;
      call.on('data', () => count++);
      call.on('end', () => callback(null, Buffer.from(String(count))));
      call.on('error', () => {});
    },
    bidi: (call) => {
      call.on('data', (message: Buffer) => {
        if (!call.write(message)) {
          call.pause();
          call.once('drain', () => call.resume());
        }
      });
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  };
}

export async function grpcServer(
  name = 'a',
  credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure(),
): Promise<GrpcServer> {
  const handlers = echoHandlers(name);
  const seen: grpc.Metadata[] = [];
  const note = <Call extends { metadata: grpc.Metadata }>(call: Call): Call => {
    seen.push(call.metadata);
    return call;
  };
  const server = new grpc.Server();
  server.addService(ECHO, {
    unary: ((call, callback) => handlers.unary(note(call), callback)) satisfies EchoHandlers['unary'],
    serverStream: ((call) => handlers.serverStream(note(call))) satisfies EchoHandlers['serverStream'],
    clientStream: ((call, callback) => handlers.clientStream(note(call), callback)) satisfies EchoHandlers['clientStream'],
    bidi: ((call) => handlers.bidi(note(call))) satisfies EchoHandlers['bidi'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return {
    address: `127.0.0.1:${port}`,
    name,
    seen,
    handlers,
    server,
    close: async () => server.forceShutdown(),
  };
}

export type Unary = (
  message: Buffer,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: grpc.requestCallback<Buffer>,
) => grpc.ClientUnaryCall;

export interface EchoClientMethods {
  unary: Unary;
  serverStream(message: Buffer, metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<Buffer>;
  clientStream(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    callback: grpc.requestCallback<Buffer>,
  ): grpc.ClientWritableStream<Buffer>;
  bidi(metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<Buffer, Buffer>;
}

export type EchoClient = grpc.Client & EchoClientMethods;

/** As protoc would generate it. */
export const EchoClientClass = grpc.makeGenericClientConstructor(ECHO, 'Echo') as unknown as new (
  address: string,
  credentials: grpc.ChannelCredentials,
  options?: Partial<grpc.ClientOptions>,
) => EchoClient;

export interface UnaryAnswer {
  readonly text: string;
  readonly code: number;
  readonly error: grpc.ServiceError | null;
  readonly headers: grpc.Metadata | null;
  readonly trailers: grpc.Metadata | null;
}

/** One unary call; never rejects. */
export function unary(
  client: EchoClient,
  text: string,
  init: { metadata?: Record<string, string>; options?: grpc.CallOptions } = {},
): Promise<UnaryAnswer> {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(init.metadata ?? {})) metadata.set(key, value);
  return new Promise((resolve) => {
    let headers: grpc.Metadata | null = null;
    let trailers: grpc.Metadata | null = null;
    let answer: { text: string; error: grpc.ServiceError | null } | null = null;
    let isEnded = false;
    const settle = (): void => {
      if (answer !== null && isEnded) resolve({ ...answer, code: answer.error?.code ?? 0, headers, trailers });
    };
    const call = client.unary(Buffer.from(text), metadata, init.options ?? {}, (error, value) => {
      answer = { text: value?.toString() ?? '', error };
      settle();
    });
    call.on('metadata', (head: grpc.Metadata) => {
      headers = head;
    });
    call.on('status', (status: grpc.StatusObject) => {
      trailers = status.metadata;
      isEnded = true;
      settle();
    });
  });
}
