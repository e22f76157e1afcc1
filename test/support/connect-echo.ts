// A service of connect-es without code generation, and a real connect-node server of it on loopback that answers as told.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type MethodOptions_IdempotencyLevel,
  type StringValueSchema,
} from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';

type Texts<Kind extends string> = { methodKind: Kind; input: typeof StringValueSchema; output: typeof StringValueSchema };

export type EchoService = GenService<{
  say: Texts<'unary'>;
  /** NO_SIDE_EFFECTS */
  look: Texts<'unary'>;
  /** IDEMPOTENT */
  put: Texts<'unary'>;
  count: Texts<'server_streaming'>;
  sum: Texts<'client_streaming'>;
}>;

const TEXT = '.google.protobuf.StringValue';

function method(
  name: string,
  idempotencyLevel: MethodOptions_IdempotencyLevel = 0,
  clientStreaming = false,
  serverStreaming = false,
): object {
  return { name, inputType: TEXT, outputType: TEXT, clientStreaming, serverStreaming, options: { idempotencyLevel } };
}

const file = create(FileDescriptorProtoSchema, {
  name: 'echo.proto',
  package: 'test',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto'],
  service: [
    {
      name: 'Echo',
      method: [method('Say'), method('Look', 1), method('Put', 2), method('Count', 1, false, true), method('Sum', 0, true)],
    },
  ],
});

export const Echo = createFileRegistry(file, (name) =>
  name === 'google/protobuf/wrappers.proto' ? file_google_protobuf_wrappers : undefined,
).getService('test.Echo') as unknown as EchoService;

export interface ConnectServer {
  readonly address: string;
  /** Method and headers of the requests so far. */
  readonly seen: { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

/** What is not given echoes. */
export async function connectServer(given: Partial<ServiceImpl<EchoService>> = {}): Promise<ConnectServer> {
  const seen: { method: string; path: string; headers: IncomingHttpHeaders }[] = [];
  const echo = ({ value }: { value: string }): { value: string } => ({ value });
  const implementation: ServiceImpl<EchoService> = {
    say: echo,
    look: echo,
    put: echo,
    async *count({ value }) {
      for (let i = 0; i < Number(value); i++) yield { value: String(i) };
    },
    async sum(values) {
      let count = 0;
      for await (const _ of values) count++;
      return { value: String(count) };
    },
    ...given,
  };
  const handle = connectNodeAdapter({ routes: (router) => void router.service(Echo, implementation) });
  const server = createServer((request, response) => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
