// What we use of @grpc/grpc-js, as shapes that its versions 1.10 to 1.14 share, and the door to it: loaded when the first
// channel is made, unless the user hands in a copy of his own.
import { createRequire } from 'node:module';
import type { SecureContext, PeerCertificate } from 'node:tls';

/** Bytes under keys that end with `-bin`, text under all others. */
export type MetadataValue = string | Buffer;

/** What a call takes of the metadata that it is started with. */
export interface Cloneable {
  clone(): Metadata;
}

export interface Metadata extends Cloneable {
  set(key: string, value: MetadataValue): void;
  add(key: string, value: MetadataValue): void;
  get(key: string): MetadataValue[];
  toHttp2Headers(): Record<string, unknown>;
  getOptions(): object;
  setOptions(options: object): void;
}

export interface StatusObject {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Hears of one call: the head, messages as they are asked for, the status last. */
export interface Listener {
  onReceiveMetadata(metadata: Metadata): void;
  onReceiveMessage(message: Buffer): void;
  onReceiveStatus(status: StatusObject): void;
}

/** Goes with a message that is sent; `callback` says that there is room for the next. */
export interface MessageContext {
  readonly callback?: ((error?: Error | null) => void) | undefined;
  readonly flags?: number | undefined;
}

export interface GrpcCall {
  start(metadata: Cloneable, listener: Listener): void;
  sendMessageWithContext(context: MessageContext, message: Buffer): void;
  startRead(): void;
  halfClose(): void;
  cancelWithStatus(status: number, details: string): void;
  getPeer(): string;
  getCallNumber(): number;
  setCredentials(credentials: object): void;
  getAuthContext?(): unknown;
}

/** The call of a server that asks on behalf of which another is made. */
export interface ParentCall {
  on(event: 'cancelled', listener: () => void): unknown;
  getDeadline(): Date | number;
}

export interface GrpcChannel {
  createCall(
    method: string,
    deadline: Date | number,
    host: string | null | undefined,
    parent: null,
    flags: number | null | undefined,
  ): GrpcCall;
  close(): void;
  getTarget(): string;
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(state: number, deadline: Date | number, callback: (error?: Error) => void): void;
}

/** The module: `import * as grpc from '@grpc/grpc-js'`. */
export interface GrpcModule {
  readonly Channel: new (target: string, credentials: never, options: never) => GrpcChannel;
  readonly Metadata: new () => Metadata;
  readonly credentials: {
    createInsecure(): object;
    createFromSecureContext(
      context: SecureContext,
      options?: { checkServerIdentity?: (host: string, peer: PeerCertificate) => Error | undefined; rejectUnauthorized?: boolean },
    ): object;
  };
}

let loaded: GrpcModule | null = null;

/** Throws an Error with the command to run when the package is not installed. */
export function loadGrpc(): GrpcModule {
  if (loaded !== null) return loaded;
  try {
    loaded = createRequire(import.meta.url)('@grpc/grpc-js') as GrpcModule;
  } catch (cause) {
    throw new Error('gRPC needs the package @grpc/grpc-js, 1.10 or later: npm install @grpc/grpc-js', { cause });
  }
  return loaded;
}
