// One unary gRPC call of 1 KiB there and back, by grpc-js alone and through the mesh, with nothing but defaults in both.
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import type { Caller } from './callers.ts';
import { BYTES_UNARY } from './grpc-service.ts';
import { loadGrpcLibrary, loadLibrary } from './library.ts';
import { BODY_BYTES, type Target } from './protocol.ts';

interface BytesClient {
  unary(message: Buffer, callback: (error: Error | null, answer: Buffer) => void): void;
}

const MESSAGE = Buffer.alloc(BODY_BYTES, 0x61);

function unaryCaller(target: string, options: object): Caller {
  const Client = makeGenericClientConstructor(BYTES_UNARY, 'Bytes');
  const client = new Client(target, credentials.createInsecure(), options) as unknown as BytesClient;
  return () =>
    new Promise((resolve, reject) => {
      client.unary(MESSAGE, (error, answer) => (error === null ? resolve(answer.byteLength) : reject(error)));
    });
}

export function unary({ ports }: Target): Caller {
  return unaryCaller(`127.0.0.1:${ports[0]}`, {});
}

export async function unaryMeshed({ ports }: Target): Promise<Caller> {
  const [{ createMesh }, { channel }] = await Promise.all([loadLibrary(), loadGrpcLibrary()]);
  const mesh = await createMesh({ config: { services: { bytes: { endpoints: [`127.0.0.1:${ports[0]}`] } } } });
  return unaryCaller('bytes', { channelOverride: channel(mesh, 'bytes') });
}
