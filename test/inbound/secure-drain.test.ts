// How servers end that speak TLS and HTTP/2: what is under way is finished, nothing new begins, nobody waits for idle ones.
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { closeOnSignals, isReady } from '../../src/inbound/close-on-signals.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Held } from './real-server.ts';
import { CALLER, http2To, keepAlive, onSession, overHttp1, secure, type SecureServer, tcp } from './secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function holding(): Promise<{ readonly held: Held; readonly real: SecureServer }> {
  const held = new Held();
  const real = await secure(held.listener);
  closers.push(real.close);
  return { held, real };
}

describe('the end of a server', () => {
  it('lets an HTTP/1 call over mTLS finish, and closes its connection', async () => {
    const { held, real } = await holding();
    const answered = overHttp1({ port: real.port, as: CALLER, agent: keepAlive(CALLER) });
    await held.come(1);
    const closed = real.inbound.close(10_000);
    held.answer(0);
    const { status, headers } = await answered;
    expect([status, headers.connection]).toEqual([200, 'close']);
    await closed;
  });

  it('lets HTTP/2 calls finish, says GOAWAY, and takes no new stream', async () => {
    const { held, real } = await holding();
    const session = http2To({ port: real.port, as: CALLER });
    const goaway = new Promise<number>((resolve) => session.on('goaway', resolve));
    const ended = new Promise((resolve) => session.on('close', resolve));
    const first = onSession(session, {});
    await held.come(1);
    const closed = real.inbound.close(10_000);
    expect(await goaway).toBe(0);
    const refused = await new Promise<NodeJS.ErrnoException>((resolve) => session.request({ ':path': '/' }).on('error', resolve));
    expect(refused.code).toBe('ERR_HTTP2_GOAWAY_SESSION');
    held.answer(0);
    expect((await first).status).toBe(200);
    await closed;
    await ended;
    expect(held.calls.length).toBe(1);
  });

  it('does not wait for idle connections, for handshakes, nor for those that say nothing', async () => {
    const { held, real } = await holding();
    const agent = keepAlive(CALLER);
    const first = overHttp1({ port: real.port, as: CALLER, agent });
    await held.come(1);
    held.answer(0);
    await first;
    const session = http2To({ port: real.port, as: CALLER });
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const sockets = [tcp(real.port), tcp(real.port)];
    sockets[1]?.write(Buffer.from([0x16, 3, 1, 1, 0]));
    const all = sockets.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve)));
    const open = (): Promise<number> => new Promise((resolve) => real.server.getConnections((_error, count) => resolve(count)));
    while ((await open()) < 4) await new Promise((resolve) => setImmediate(resolve));
    await real.inbound.close(60_000);
    await Promise.all(all);
    agent.destroy();
    session.destroy();
  });

  it('cuts off what is not done in time, over TLS and HTTP/2 too', async () => {
    const { held, real } = await holding();
    const calls = [overHttp1({ port: real.port, as: CALLER }), onSession(http2To({ port: real.port, as: CALLER }), {})];
    await held.come(2);
    await Promise.all([real.inbound.close(20), ...calls.map((call) => expect(call).rejects.toThrow())]);
    expect(real.inbound.snapshot().inFlight).toBe(0);
    expect(real.source.listeners).toBe(0);
  });
});

describe('a signal', () => {
  it('makes the process unready at once, and closes it when the lame duck has had its time', async () => {
    const clock = new VirtualClock();
    const closed: unknown[] = [];
    let ready = true;
    const mesh = {
      clock,
      inbound: {
        get isReady() {
          return ready;
        },
        retire() {
          ready = false;
        },
      },
      close(options: unknown) {
        closed.push(options);
        return Promise.resolve();
      },
    };
    const done = Promise.withResolvers<void>();
    const undo = closeOnSignals(mesh, { signals: ['SIGUSR2'], exits: false, onClosed: done.resolve });
    expect(isReady(mesh)).toBe(true);
    process.emit('SIGUSR2');
    expect([isReady(mesh), closed]).toEqual([false, []]);
    clock.advance(4_999);
    expect(closed).toEqual([]);
    clock.advance(1);
    await done.promise;
    expect(closed).toEqual([{ drainMs: 30_000 }]);
    expect(process.listenerCount('SIGUSR2')).toBe(0);
    undo();
  });

  it('is as if it had not come when it is undone before', () => {
    const before = process.listenerCount('SIGUSR2');
    const undo = closeOnSignals(
      { clock: new VirtualClock(), inbound: { retire() {} }, close: () => Promise.resolve() },
      { signals: ['SIGUSR2'] },
    );
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
    undo();
    expect(process.listenerCount('SIGUSR2')).toBe(before);
  });

  it('ends a real process with code 0, its last call answered', async () => {
    const child = fork(fileURLToPath(new URL('signalled-server.ts', import.meta.url)));
    const told = (): Promise<{ readonly port: number; readonly served: boolean }> =>
      new Promise((resolve) => child.once('message', (message) => resolve(message as { port: number; served: boolean })));
    const { port } = await told();
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect((await told()).served).toBe(true);
    child.kill('SIGTERM');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close[\s\S]*done$/i);
    expect(await exited).toBe(0);
  });
});
