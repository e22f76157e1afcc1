// Callers that go, deadlines that pass, servers that end.
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { DEADLINE_HEADER } from '../../src/core/headers.ts';
import { processLoop } from '../../src/inbound/event-loop.ts';
import { signalOf } from '../../src/inbound/inbound-call.ts';
import { createServer } from '../../src/inbound/server.ts';
import { Inbound } from '../../src/mesh/inbound.ts';
import { ADMISSION_DEFAULTS } from '../../src/model/inbound.ts';
import { FakeLoop } from './fake-inbound.ts';
import { ask, exactly, Held, oneConnection, serve } from './real-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serving(...args: Parameters<typeof serve>): ReturnType<typeof serve> {
  const real = await serve(...args);
  closers.push(real.close);
  return real;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener('abort', () => resolve(signal.reason));
  });
}

describe('a caller that goes', () => {
  it('aborts the signal of the handler, and frees its place when the handler is told', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener, exactly(1));
    const controller = new AbortController();
    const gone = ask(port, { signal: controller.signal });
    await held.come(1);
    const [first] = held.calls;
    const signal = signalOf((first as (typeof held.calls)[0]).request);
    controller.abort();
    await expect(gone).rejects.toThrow();
    expect(await aborted(signal)).toMatchObject({ code: 'canceled' });
    const next = ask(port);
    await held.come(2);
    held.answer(1);
    expect((await next).status).toBe(200);
    expect(inbound.snapshot().inFlight).toBe(0);
  });

  it('while its body is under way, too', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener);
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nabc');
    await held.come(1);
    const signal = signalOf((held.calls[0] as (typeof held.calls)[0]).request);
    socket.destroy();
    await aborted(signal);
    expect(inbound.snapshot().inFlight).toBe(0);
  });

  it('that stays sees no abort', async () => {
    const signals: AbortSignal[] = [];
    const { port } = await serving((request, response) => {
      signals.push(signalOf(request));
      response.end();
    });
    await ask(port);
    await ask(port);
    expect(signals.map(({ aborted: is }) => is)).toEqual([false, false]);
  });
});

describe('the deadline', () => {
  it('aborts the signal, and the late answer is sent all the same', async () => {
    const reasons: unknown[] = [];
    const { port } = await serving(async (request, response) => {
      reasons.push(await aborted(signalOf(request)));
      response.end('late');
    });
    expect(await ask(port, { headers: { [DEADLINE_HEADER]: '20' } })).toMatchObject({ status: 200, text: 'late' });
    expect(reasons).toMatchObject([{ code: 'deadline_exceeded' }]);
  });

  it('that passed while others were served is answered 504, the handler unasked', async () => {
    const served: (string | undefined)[] = [];
    const { port } = await serving(async ({ url }, response) => {
      served.push(url);
      const endMs = performance.now() + (url === '/busy' ? 60 : 0);
      while (performance.now() < endMs);
      response.end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const eight = (path: string, ms: string): ReturnType<typeof ask>[] =>
      Array.from({ length: 8 }, () => ask(port, { path, agent, headers: { [DEADLINE_HEADER]: ms } }));
    for (let i = 0; i < 3; i++) await Promise.all(eight('/fine', '10000'));
    // Eight open connections are read in one turn: whoever is last has waited for all others.
    const late = await Promise.all(eight('/busy', '30'));
    agent.destroy();
    const [expired] = late.filter(({ status }) => status === 504);
    expect(expired).toMatchObject({
      text: 'deadline exceeded before the call was served',
      headers: { 'x-inmesh-error': 'deadline_exceeded' },
    });
    expect(served.length).toBe(24 + late.filter(({ status }) => status === 200).length);
  });
});

describe('the end', () => {
  it('lets calls under way finish, closes their connections, and takes no more', async () => {
    const held = new Held();
    const { port, inbound, server } = await serving(held.listener);
    const agent = oneConnection();
    const first = ask(port, { agent });
    const idle = oneConnection();
    const second = ask(port, { agent: idle });
    await held.come(2);
    held.answer(1);
    await second;
    const closed = inbound.close(10_000);
    await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    held.answer(0);
    const told = await first;
    expect([told.status, told.text, told.headers.connection]).toEqual([200, 'done', 'close']);
    await closed;
    expect(server.listening).toBe(false);
    agent.destroy();
    idle.destroy();
  });

  it('closes the connection of an answer that had begun', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener);
    const agent = oneConnection();
    const first = ask(port, { agent });
    await held.come(1);
    const response = held.calls[0]?.response;
    response?.write('begun, ');
    const closed = inbound.close(60_000);
    response?.end('done');
    expect((await first).text).toBe('begun, done');
    const startMs = performance.now();
    await closed;
    // Node itself would keep it for five seconds.
    expect(performance.now() - startMs).toBeLessThan(3_000);
    agent.destroy();
  });

  it('answers a request that comes late on an open connection, and closes it', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /1 HTTP/1.1\r\nhost: a\r\n\r\n');
    await held.come(1);
    held.calls[0]?.response.write('begun');
    const closed = inbound.close(60_000);
    socket.write('GET /2 HTTP/1.1\r\nhost: a\r\n\r\n');
    await held.come(2);
    held.answer(0);
    held.answer(1, 'late');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text.toLowerCase().match(/connection: [a-z-]+/g)).toEqual(['connection: keep-alive', 'connection: close']);
    expect(text.endsWith('late')).toBe(true);
    await closed;
  });

  it('cuts off what is not done in time', async () => {
    const held = new Held();
    const { port, inbound } = await serving(held.listener);
    const first = ask(port);
    await held.come(1);
    const signal = signalOf((held.calls[0] as (typeof held.calls)[0]).request);
    await Promise.all([inbound.close(20), expect(first).rejects.toMatchObject({ code: 'ECONNRESET' })]);
    expect(await aborted(signal)).toMatchObject({ code: 'canceled' });
  });

  it('of a server that took nothing is at once', async () => {
    const { inbound } = await serving(() => {});
    await inbound.close(60_000);
  });
});

describe('the event loop', () => {
  const listen = async (loop: FakeLoop, admission: typeof ADMISSION_DEFAULTS | null): Promise<Inbound> => {
    const inbound = new Inbound({ mtls: 'disable', admission }, systemClock, loop);
    const server = createServer({ clock: systemClock, inbound }, () => {});
    expect(loop.users).toBe(0);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return inbound;
  };

  it('is measured while a server listens', async () => {
    const loop = new FakeLoop();
    const inbound = await listen(loop, ADMISSION_DEFAULTS);
    expect(loop.users).toBe(1);
    inbound.update({ mtls: 'disable', admission: null });
    expect(loop.users).toBe(0);
    inbound.update({ mtls: 'disable', admission: ADMISSION_DEFAULTS });
    expect(loop.users).toBe(1);
    await inbound.close(0);
    expect(loop.users).toBe(0);
  });

  it.each([null, { ...ADMISSION_DEFAULTS, eventLoopDelayMs: 0 }])('is not when nobody wants to know', async (admission) => {
    const loop = new FakeLoop();
    const inbound = await listen(loop, admission);
    expect(loop.users).toBe(0);
    await inbound.close(0);
  });

  it('of the process counts its turns, and knows how late it was', async () => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    processLoop.start();
    const before = processLoop.turn;
    expect(processLoop.turn).toBe(before);
    // The first may still be of this turn.
    await turn();
    await turn();
    expect(processLoop.turn).toBeGreaterThan(before);
    const sample = async (): Promise<void> => {
      for (const endMs = performance.now() + 70; performance.now() < endMs; ) await turn();
    };
    const idle: number[] = [];
    for (let i = 0; i < 5; i++) {
      await sample();
      idle.push(processLoop.delayMs());
    }
    expect(Math.min(...idle)).toBeLessThan(15);
    // The first sample after a look is where the next begins.
    await sample();
    for (const endMs = performance.now() + 200; performance.now() < endMs; );
    await sample();
    const lateMs = processLoop.delayMs();
    expect(lateMs).toBeGreaterThan(150);
    expect(lateMs).toBeLessThan(1_000);
    processLoop.stop();
  });
});
