// A rolling restart under load, both ends of inmesh: servers end one after the other and come back, and no call fails.
import { Server } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { serve } from '../../../src/inbound/grpc/serve.ts';
import { createMesh } from '../../../src/mesh/create-mesh.ts';
import { Inbound } from '../../../src/mesh/inbound.ts';
import { grpcClient } from '../../../src/transport/grpc/grpc-client.ts';
import { ECHO, EchoClientClass, unary } from '../../support/grpc-server.ts';

interface Running {
  readonly port: number;
  served: number;
  end(): Promise<void>;
}

async function start(port = 0): Promise<Running> {
  const inbound = new Inbound({ mtls: 'disable', admission: null }, systemClock);
  const server = new Server();
  const running = { port, served: 0, end: () => inbound.close(5_000) };
  server.addService(ECHO, {
    unary(call: { request: Buffer }, done: (error: null, value: Buffer) => void) {
      running.served++;
      setImmediate(done, null, call.request);
    },
    serverStream(call: { write(message: Buffer): void; end(): void }) {
      running.served++;
      let left = 5;
      const next = (): void => {
        call.write(Buffer.from(String(left)));
        if (--left > 0) setImmediate(next);
        else call.end();
      };
      next();
    },
    clientStream() {},
    bidi() {},
  });
  const serving = await serve({ clock: systemClock, inbound }, server, { host: '127.0.0.1', port });
  return Object.assign(running, { port: serving.port });
}

it('a rolling restart fails no unary call and no stream', async () => {
  let [a, b] = [await start(), await start()];
  const endpoints = [a.port, b.port].map((port) => `127.0.0.1:${port}`);
  // A server that is back is to be called again at once.
  const eager = { outlierDetection: false, circuitBreaker: false, loadBalancer: 'roundRobin' } as const;
  const mesh = await createMesh({ config: { services: { it: { endpoints, retries: { attempts: 2 }, ...eager } } }, watch: false });
  const channelOptions = {
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 20,
    'grpc.min_reconnect_backoff_ms': 20,
  };
  const client = grpcClient(mesh, EchoClientClass, 'it', { channelOptions });
  const codes: number[] = [];
  let isOver = false;
  const calls = async (): Promise<void> => {
    while (!isOver) codes.push((await unary(client, 'x')).code);
  };
  const streams = async (): Promise<void> => {
    while (!isOver) {
      let count = 0;
      const stream = client.serverStream(Buffer.from('5'));
      stream.on('data', () => count++);
      stream.on('error', () => {});
      codes.push(await new Promise((resolve) => stream.on('status', ({ code }) => resolve(code === 0 && count !== 5 ? 99 : code))));
    }
  };
  const load = Promise.all([calls(), calls(), calls(), streams(), streams()]);
  const some = async (of: Running): Promise<void> => {
    const enough = of.served + 30;
    while (of.served < enough) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let round = 0; round < 2; round++) {
    await some(a);
    await a.end();
    await some(b);
    a = await start(a.port);
    await some(a);
    await b.end();
    await some(a);
    b = await start(b.port);
    await some(b);
  }
  isOver = true;
  await load;
  await mesh.close();
  await Promise.all([a.end(), b.end()]);
  expect(codes.filter((code) => code !== 0)).toEqual([]);
  expect(codes.length).toBeGreaterThan(200);
});
