// One plain call in one line, over the protocol of a row: a GET, or a unary gRPC call that may be repeated.
import type { Mesh } from '../../../src/index.ts';
import { GRPC_STATUSES } from '../../../src/model/grpc-status.ts';
import { type EchoClient, EchoClientClass, unary } from '../../support/grpc-server.ts';
import { type Library, outcomeOf } from './observe.ts';
import type { Protocol } from './peers.ts';

/** `200 ok` of gRPC is an answer with status OK. */
type Caller = (service: string) => Promise<string>;

export function caller({ grpcClient }: Pick<Library, 'grpcClient'>, mesh: Mesh, protocol: Protocol): Caller {
  if (protocol !== 'grpc') return (service) => outcomeOf(mesh, `http://${service}/`);
  const clients = new Map<string, EchoClient>();
  return async (service) => {
    const client = clients.get(service) ?? grpcClient(mesh, EchoClientClass, service, { idempotent: true });
    clients.set(service, client);
    const { code, text, error } = await unary(client, 'x');
    if (error === null) return `200 ${text}`;
    const { cause } = error as { cause?: { code?: string; family?: string; sent?: string } };
    return cause?.family === undefined ? `${GRPC_STATUSES[code]}` : `${cause.code} ${cause.family} ${cause.sent}`;
  };
}
