// One cell of the gRPC matrix: the built package with one version of grpc-js, on the Node that runs this. Prints what came of
// each scenario as JSON. Arguments: name of the grpc-js package, URL of the build. Knows nothing of the test runner.
import { createRequire } from 'node:module';
import type * as Grpc from '@grpc/grpc-js';
import type * as InmeshGrpc from '../../../src/grpc.ts';
import type * as Inmesh from '../../../src/index.ts';

const [name = '@grpc/grpc-js', dist = ''] = process.argv.slice(2);
const { createMesh } = (await import(new URL('index.js', dist).href)) as typeof Inmesh;
const { grpcClient } = (await import(new URL('grpc.js', dist).href)) as typeof InmeshGrpc;
const grpc = createRequire(import.meta.url)(name) as typeof Grpc;
const same = (bytes: Buffer): Buffer => bytes;
const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
const ECHO = {
  unary: { path: '/test.Echo/Unary', requestStream: false, responseStream: false, ...codec },
  down: { path: '/test.Echo/Down', requestStream: false, responseStream: true, ...codec },
  up: { path: '/test.Echo/Up', requestStream: true, responseStream: false, ...codec },
  both: { path: '/test.Echo/Both', requestStream: true, responseStream: true, ...codec },
};

type Play = 'ok' | 'unavailable' | 'hang' | 'after two';

async function serve(play: { now: Play }): Promise<{ address: string; server: Grpc.Server }> {
  const bad = { code: grpc.status.UNAVAILABLE, details: 'ill' };
  const server = new grpc.Server();
  server.addService(ECHO, {
    unary: ((call, callback) => {
      if (play.now === 'unavailable') callback(bad);
      else if (play.now !== 'hang') callback(null, call.request);
    }) as Grpc.handleUnaryCall<Buffer, Buffer>,
    down: ((call) => {
      call.write(Buffer.from('0'));
      call.write(Buffer.from('1'), () => (play.now === 'after two' ? call.emit('error', bad) : call.end()));
    }) as Grpc.handleServerStreamingCall<Buffer, Buffer>,
    up: ((call, callback) => {
      let count = 0;
      call.on('data', () => count++);
      call.on('error', () => {});
      call.on('end', () => (play.now === 'unavailable' ? callback(bad) : callback(null, Buffer.from(String(count)))));
    }) as Grpc.handleClientStreamingCall<Buffer, Buffer>,
    both: ((call) => {
      let count = 0;
      call.on('error', () => {});
      call.on('data', (message: Buffer) => {
        if (play.now === 'unavailable' && ++count === 5) call.emit('error', bad);
        else if (play.now !== 'unavailable') call.write(message);
      });
      call.on('end', () => call.end());
    }) as Grpc.handleBidiStreamingCall<Buffer, Buffer>,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, server };
}

const [ill, well] = [{ now: 'ok' as Play }, { now: 'ok' as Play }];
const [a, b] = [await serve(ill), await serve(well)];
const retries = { attempts: 1, perTryTimeout: '200ms', methods: ['*'], backoff: { base: '1ms', max: '1ms' } };
const quiet = { outlierDetection: false, circuitBreaker: false, loadBalancer: 'roundRobin', retries } as const;
const mesh = await createMesh({ config: { services: { it: { endpoints: [a.address, b.address], ...quiet } } }, watch: false });
type Client = Grpc.Client & Record<string, (...args: unknown[]) => Grpc.ClientDuplexStream<Buffer, Buffer>>;
const Echo = grpc.makeGenericClientConstructor(ECHO, 'Echo') as unknown as new (...args: unknown[]) => Client;
const client = grpcClient(mesh, Echo as never, 'it', { grpc }) as unknown as Client;

const unary = (options: object = {}): Promise<string> =>
  new Promise((resolve) => {
    client['unary']?.(Buffer.from('x'), new grpc.Metadata(), options, (error: Grpc.ServiceError | null, value?: Buffer) =>
      resolve(error === null ? String(value) : String(error.code)),
    );
  });

async function collect(stream: Grpc.ClientReadableStream<Buffer>): Promise<string> {
  const got: string[] = [];
  try {
    for await (const message of stream) got.push(String(message));
  } catch (error) {
    got.push(`!${(error as Grpc.ServiceError).code}`);
  }
  return got.join();
}

const up = (): Promise<string> =>
  new Promise((resolve) => {
    const stream = client['up']?.((error: Grpc.ServiceError | null, value?: Buffer) =>
      resolve(error === null ? String(value) : String(error.code)),
    );
    for (let i = 0; i < 10; i++) stream?.write(Buffer.from(String(i)));
    stream?.end();
  });

function both(): Promise<string> {
  const stream = client['both']?.() as Grpc.ClientDuplexStream<Buffer, Buffer>;
  for (let i = 0; i < 10; i++) stream.write(Buffer.from(String(i)));
  stream.end();
  return collect(stream);
}

const twice = async (run: () => Promise<string>): Promise<string> => [await run(), await run()].join(' ');
const result: Record<string, string> = {};
result['unary'] = await twice(() => unary());
result['down'] = await twice(() => collect(client['down']?.(Buffer.from('x')) as Grpc.ClientReadableStream<Buffer>));
result['up'] = await twice(up);
result['both'] = await twice(both);
ill.now = 'unavailable';
result['unary, one ill'] = await twice(() => unary());
result['up, one ill'] = await twice(up);
result['both, one ill'] = await twice(both);
ill.now = 'hang';
result['unary, one hung'] = await twice(() => unary());
ill.now = 'after two';
result['down, broken'] = [
  ...new Set((await twice(() => collect(client['down']?.(Buffer.from('x')) as Grpc.ClientReadableStream<Buffer>))).split(' ')),
]
  .sort()
  .join(' ');
well.now = 'hang';
ill.now = 'hang';
result['deadline'] = await unary({ deadline: Date.now() + 100 });
process.stdout.write(JSON.stringify(result));
await mesh.close({ drainMs: 0 });
for (const { server } of [a, b]) server.forceShutdown();
