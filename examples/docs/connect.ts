// A client of connect-es over the mesh, and a real connect-node server. The service is described here by hand; yours is generated.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers, type StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { createMesh } from 'inmesh';
import { connectTransport } from 'inmesh/connect';

type Texts<Kind extends string> = { methodKind: Kind; input: typeof StringValueSchema; output: typeof StringValueSchema };
const TEXT = { inputType: '.google.protobuf.StringValue', outputType: '.google.protobuf.StringValue' };
const NO_SIDE_EFFECTS = 1;
const file = create(FileDescriptorProtoSchema, {
  name: 'greeter.proto',
  package: 'example',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto'],
  service: [
    {
      name: 'Greeter',
      method: [
        { name: 'Hello', ...TEXT, options: { idempotencyLevel: NO_SIDE_EFFECTS } },
        { name: 'Count', ...TEXT, serverStreaming: true },
      ],
    },
  ],
});
const Greeter = createFileRegistry(file, () => file_google_protobuf_wrappers).getService('example.Greeter') as unknown as GenService<{
  hello: Texts<'unary'>;
  count: Texts<'server_streaming'>;
}>;

const methods: string[] = [];
const handle = connectNodeAdapter({
  routes: (router) =>
    void router.service(Greeter, {
      hello({ value }) {
        if (methods.length === 1) throw new ConnectError('not yet', Code.Unavailable);
        return { value: `hello ${value}` };
      },
      async *count() {
        for (const value of ['one', 'two', 'three']) yield await Promise.resolve({ value });
      },
    }),
});
const server = createServer((request, response) => {
  methods.push(request.method ?? '');
  handle(request, response);
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

// #region connect
const mesh = await createMesh({ config: { services: { greeter: { endpoints: [address], retries: { attempts: 2 } } } } });
const greeter = createClient(Greeter, connectTransport(mesh, 'greeter'));
console.log((await greeter.hello({ value: 'ada' })).value);
for await (const { value } of greeter.count({ value: '' })) console.log(value);
// #endregion
console.log('sent:', methods.join(' '));

const web = createClient(Greeter, connectTransport(mesh, 'greeter', { protocol: 'grpc-web' }));
console.log('gRPC-web:', (await web.hello({ value: 'eve' })).value);

await mesh.close();
server.close();
