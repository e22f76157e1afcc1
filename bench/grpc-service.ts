// The service of the gRPC bench: one unary method of bytes, so that no codec is measured.
import type { MethodDefinition } from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;

export const BYTES_UNARY: { readonly unary: MethodDefinition<Buffer, Buffer> } = {
  unary: {
    path: '/bench.Bytes/Unary',
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};
