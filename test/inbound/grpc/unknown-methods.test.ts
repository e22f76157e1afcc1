// Methods that a server does not have come in by the door like all others: refused, counted, and told of, under one bounded name.
import { createRequire } from 'node:module';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { admitUnknown, isUnknownMethod } from '../../../src/inbound/grpc/unknown-methods.ts';
import { makeTelemetry, type Telemetry } from '../../../src/mesh/telemetry.ts';
import { unary } from '../../support/grpc-server.ts';
import { register, unregister } from '../../telemetry/otel.ts';
import { deny } from '../../access/cases.ts';
import { idle, type Served, serving, type ServingOptions } from './serving.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  unregister();
});

async function open(config: ServingOptions['config'] = {}): Promise<{ readonly served: Served; readonly telemetry: Telemetry }> {
  const telemetry = makeTelemetry({}, systemClock);
  const served = await serving({ config, setup: { telemetry } });
  closers.push(served.close, () => telemetry.close());
  return { served, telemetry };
}

const bytes = (value: Buffer): Buffer => value;

interface Answer {
  readonly code: number;
  readonly details: string;
  readonly trailers: grpc.Metadata;
}

/** A method of the given kind that nobody has registered, with one message. */
function call(client: grpc.Client, path: string, isStream = false): Promise<Answer> {
  return new Promise((resolve) => {
    const done = ({ code, details, metadata }: grpc.StatusObject): void => resolve({ code, details, trailers: metadata });
    if (isStream) {
      const stream = client.makeBidiStreamRequest(path, bytes, bytes);
      stream.on('error', () => {});
      stream.on('status', done);
    } else {
      client.makeUnaryRequest(path, bytes, bytes, Buffer.from('x'), () => {}).on('status', done);
    }
  });
}

async function methods(telemetry: Telemetry): Promise<readonly unknown[]> {
  const { resourceMetrics } = await telemetry.metricProducer.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const found = metrics.find(({ descriptor }) => descriptor.name === 'rpc.server.call.duration')?.dataPoints ?? [];
  return found.map(({ attributes }) => [attributes['rpc.method'], attributes['rpc.status_code']]);
}

describe('a method that the server does not have', () => {
  it.each([
    ['of one message', false],
    ['of streams, whose caller goes on talking', true],
  ])('%s is UNIMPLEMENTED', async (_name, isStream) => {
    const { served } = await open();
    const { code, details } = await call(served.client(), '/test.Echo/Nothing', isStream);
    expect([code, details]).toEqual([grpc.status.UNIMPLEMENTED, 'The server does not implement the method /test.Echo/Nothing']);
    await idle(served);
    expect(served.app.seen).toEqual([]);
  });

  it('is counted under one name, however many a caller invents, and takes none from those that there are', async () => {
    const { served, telemetry } = await open();
    const client = served.client();
    for (let i = 0; i < 250; i++) await call(client, `/test.Echo/Nothing${i}`);
    await unary(client, 'x');
    await idle(served);
    expect(await methods(telemetry)).toEqual([
      ['_OTHER', 'UNIMPLEMENTED'],
      ['test.Echo/Unary', 'OK'],
    ]);
  });

  it('has a span of that name, which says what the caller wrote', async () => {
    const otel = register();
    const { served } = await open();
    await call(served.client(), `/test.Echo/${'x'.repeat(500)}`);
    await idle(served);
    const [span] = otel.spans();
    expect(span).toMatchObject({
      name: '_OTHER',
      attributes: { 'rpc.method': '_OTHER', 'rpc.method_original': `test.Echo/${'x'.repeat(118)}`, 'rpc.status_code': 'UNIMPLEMENTED' },
    });
  });

  it('is refused like any other to who may not call: what there is is not told', async () => {
    const { served } = await open({ policies: [deny({ paths: ['/secret.*'] })] });
    const { code, trailers } = await call(served.client(), '/secret.Vault/Nothing');
    expect([code, String(trailers.get('x-request-id')[0]).length]).toEqual([grpc.status.PERMISSION_DENIED, 36]);
  });

  it('takes a place while it is answered', async () => {
    const { served } = await open({ limits: { maxRequests: 1 } });
    served.app.handlers.unary = () => {};
    const hanging = served.client().unary(Buffer.from('x'), new grpc.Metadata(), {}, () => {});
    while (served.inbound.snapshot().inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    const { code, trailers } = await call(served.client(), '/test.Echo/Nothing');
    hanging.cancel();
    expect([code, trailers.get('x-inmesh-error')]).toEqual([grpc.status.UNAVAILABLE, ['overloaded']]);
  });

  it.each(['grpc-js-1.12', 'grpc-js-1.13', '@grpc/grpc-js'])('is found by %s, too', (name) => {
    const copy = createRequire(import.meta.url)(name) as typeof grpc;
    const server = new copy.Server();
    admitUnknown(server);
    const lookup = server as unknown as { _retrieveHandler(path: string): { readonly path: string; readonly deserialize: unknown } };
    const { path, deserialize } = lookup._retrieveHandler('/a.B/C');
    expect([path, isUnknownMethod({ requestDeserialize: deserialize })]).toEqual(['/a.B/C', true]);
    server.forceShutdown();
  });

  it('is left to grpc-js where that looks methods up in another way', () => {
    const other = {};
    admitUnknown(other as grpc.Server);
    expect(other).toEqual({});
  });
});
