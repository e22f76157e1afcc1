import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CODE, type H2Peer, type OnStream, rawH2 } from '../interop/faults/raw-h2-server.ts';
import { closedPort, idle, OK, type RawServer, rawServer, realWire, type RealWire } from './real-wire.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function served(
  onRequest: (socket: Socket, nth: number) => void,
  onConnection?: (socket: Socket) => void,
): Promise<[RealWire, RawServer]> {
  const server = await rawServer(onRequest, onConnection);
  const wire = realWire(server.port);
  closers.push(server.close, () => wire.transport.close());
  return [wire, server];
}

const reset = (socket: Socket): void => void socket.resetAndDestroy();

describe('a call over HTTP/1.1 comes to', () => {
  const faults: readonly (readonly [string, (socket: Socket) => void, string])[] = [
    ['an answer', (socket) => socket.write(OK), '200 ok'],
    ['FIN after the request', (socket) => socket.end(), 'connection_lost head'],
    ['RST after the request', reset, 'connection_lost head'],
    ['FIN in the head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-'), 'connection_lost head'],
    ['not HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 'protocol_error head'],
    ['a bad status line', (socket) => socket.end('HTTP/1.1 twohundred OK\r\n\r\n'), 'protocol_error head'],
    ['NUL in a header', (socket) => socket.write('HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n'), 'protocol_error head'],
    ['headers over 16 KiB', (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`), 'protocol_error head'],
    ['two lengths', (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok'), 'protocol_error head'],
    [
      'length and chunks',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
      'protocol_error head',
    ],
    ['FIN in the body', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'), '200 then connection_lost body'],
    [
      'FIN in a chunked body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
      '200 then connection_lost body',
    ],
    [
      'a bad chunk',
      (socket) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'),
      '200 then protocol_error body',
    ],
    ['a body that ends with the connection', (socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall'), '200 all'],
    ['an early 413', (socket) => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n'), '413'],
  ];
  it.each(faults)('%s', async (_, act, outcome) => {
    const [wire, server] = await served(act);
    expect(await wire.outcome()).toBe(outcome);
    expect([server.accepted(), server.requests(), wire.shared.pending]).toEqual([1, 1, 0]);
  });

  it.each([
    ['in a body of known length', 'content-length: 9'],
    ['in a body that ends with the connection', 'connection: close'],
  ])('RST %s: never a short answer', async (_, header) => {
    const [wire, server] = await served((socket) => socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n\r\nhalf`));
    const { reply, outcome } = wire.send();
    await reply;
    for (const socket of server.sockets) reset(socket);
    expect(await outcome).toBe('200 then connection_lost body');
  });

  // Node 22 tells such a reset as the end of the connection.
  it('RST that comes together with the bytes of a body that ends with the connection: never a short answer', async () => {
    const [wire] = await served((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf');
      setImmediate(() => reset(socket));
    });
    expect(await wire.outcome()).toMatch(/connection_lost/);
  });

  it('refused connections', async () => {
    const wire = realWire(await closedPort());
    closers.push(() => wire.transport.close());
    let told = 0;
    wire.shared.onConnectFailure = () => told++;
    expect(await wire.outcome({ method: 'POST', content: 'x' })).toBe('connect_failed none retryable');
    expect([told, wire.shared.pending]).toEqual([1, 0]);
  });

  it.each([['GET'], ['POST']])('%s on a reused socket that the server resets: likely its keep-alive', async (method) => {
    const [wire, server] = await served((socket, nth) => (nth === 1 ? socket.write(OK) : reset(socket)));
    const content = method === 'POST' ? { content: 'x' } : {};
    expect(await wire.outcome({ method, ...content })).toBe('200 ok');
    await idle();
    expect(await wire.outcome({ method, ...content })).toBe('connection_lost head retryable');
    expect(server.accepted()).toBe(1);
  });

  it('a fresh socket among others is a fresh one', async () => {
    const [wire] = await served((socket, nth) => (nth === 1 ? socket.write(OK) : reset(socket)));
    await wire.outcome();
    await idle();
    const [reused, fresh] = await Promise.all([wire.outcome(), wire.outcome()]);
    expect([reused, fresh]).toEqual(['connection_lost head retryable', '200 ok']);
  });

  it.each([
    ['a bad header name', { headers: ['b ad', '1'] }],
    ['a header value with a line break', { headers: ['a', 'b\r\nc: d'] }],
    ['a bad method', { method: 'G ET' }],
    ['a bad path', { path: '/a b' }],
    ['a length that the body has not', { method: 'POST', content: 'four', headers: ['content-length', '5'] }],
    ['transfer-encoding', { headers: ['transfer-encoding', 'chunked'] }],
  ])('%s: the mistake of the caller, nothing sent', async (_, init) => {
    const [wire, server] = await served((socket) => socket.write(OK));
    expect(await wire.outcome(init)).toBe('protocol_error none');
    expect(await wire.outcome()).toBe('200 ok');
    expect([server.requests(), wire.shared.pending]).toEqual([1, 0]);
  });

  it('a request body that breaks off: nobody to blame, and no end is written', async () => {
    const got: string[] = [];
    const [wire] = await served(
      () => {},
      (socket) => socket.on('data', (chunk) => got.push(chunk.toString())),
    );
    const broken = (async function* () {
      yield 'first';
      await new Promise((resolve) => setImmediate(resolve));
      throw new RangeError('disk');
    })();
    const { reply, outcome } = wire.send({ method: 'POST', content: broken });
    expect(await outcome).toBe('canceled none');
    await expect(reply).rejects.toMatchObject({ cause: { message: 'disk' } });
    expect(got.join('')).not.toContain('0\r\n\r\n');
  });
});

async function h2Served(onStream: OnStream): Promise<[RealWire, () => number]> {
  const server = await rawH2(onStream);
  const wire = realWire(server.port, { protocol: 'http2' });
  closers.push(server.close, () => wire.transport.close());
  return [wire, server.streams];
}

const answer = (peer: H2Peer, stream: number): void => {
  peer.head(stream);
  peer.data(stream, 'ok', true);
};

const half = (peer: H2Peer, stream: number): void => {
  peer.head(stream);
  peer.data(stream, 'half');
};

describe('a call over HTTP/2 comes to', () => {
  it.each<[string, OnStream, string, number]>([
    ['an answer', answer, '200 ok', 1],
    [
      'REFUSED_STREAM once: undici repeats it',
      (peer, id, nth) => (nth === 1 ? peer.reset(id, CODE.refused) : answer(peer, id)),
      '200 ok',
      2,
    ],
    ['REFUSED_STREAM always', (peer, id) => peer.reset(id, CODE.refused), 'not_processed none retryable', 2],
    ['INTERNAL_ERROR', (peer, id) => peer.reset(id, CODE.internal), 'connection_lost head', 1],
    ['ENHANCE_YOUR_CALM', (peer, id) => peer.reset(id, CODE.calm), 'connection_lost head', 1],
    ['CANCEL', (peer, id) => peer.reset(id, CODE.cancel), 'connection_lost head', 1],
    ['a connection that breaks', (peer) => peer.socket.resetAndDestroy(), 'connection_lost head', 1],
    [
      'GOAWAY that took the call, then an answer',
      (peer, id) => {
        peer.goaway(id, CODE.none);
        answer(peer, id);
      },
      '200 ok',
      1,
    ],
    [
      'GOAWAY that did not take it: undici repeats it',
      (peer, id, nth) => (nth === 1 ? peer.goaway(0, CODE.none) : answer(peer, id)),
      '200 ok',
      2,
    ],
    ['GOAWAY that never takes it', (peer) => peer.goaway(0, CODE.none), 'not_processed none retryable', 2],
  ])('%s', async (_, act, outcome, requests) => {
    const [wire, streams] = await h2Served(act);
    expect(await wire.outcome({ method: 'POST', content: 'x' })).toBe(outcome);
    expect([streams(), wire.shared.pending]).toEqual([requests, 0]);
  });

  const short = async (end: (peer: H2Peer, stream: number) => void): Promise<void> => {
    let cut = (): void => {};
    const [wire] = await h2Served((peer, id) => {
      half(peer, id);
      cut = () => end(peer, id);
    });
    const { reply, outcome } = wire.send();
    await reply;
    cut();
    expect(await outcome).toBe('200 then connection_lost body');
  };

  it('INTERNAL_ERROR in the body: not a short answer', () => short((peer, id) => peer.reset(id, CODE.internal)));

  // Node and undici take these for the end of the body.
  it('CANCEL in a body without length: not a short answer', () => short((peer, id) => peer.reset(id, CODE.cancel)));
  it('NO_ERROR in a body without length: not a short answer', () => short((peer, id) => peer.reset(id, CODE.none)));
  it('FIN in a body without length: not a short answer', () => short((peer) => peer.socket.end()));
  it('a reset before the body is looked at: not a short answer', async () => {
    const [wire] = await h2Served((peer, id) => {
      half(peer, id);
      peer.reset(id, CODE.none);
    });
    expect(await wire.outcome()).toBe('200 then connection_lost body');
  });

  // What a server may say after a whole answer to a request that it has not read to its end: RFC 9113 §8.1.
  it.each<[string, OnStream]>([
    ['the end of its data', (peer, id) => peer.data(id, 'all', true)],
    ['trailers', (peer, id) => (peer.data(id, 'all'), peer.trailers(id))],
    ['an empty end', (peer, id) => (peer.data(id, 'all'), peer.data(id, '', true))],
  ])('NO_ERROR after %s: a whole answer', async (_, end) => {
    const [wire] = await h2Served((peer, id, nth) => {
      peer.head(id);
      end(peer, id, nth);
      peer.reset(id, CODE.none);
    });
    expect(await wire.outcome()).toBe('200 all');
  });

  it('NO_ERROR after the end, before a slow reader is there: a whole answer', async () => {
    let first = (): void => {};
    let rest = (): void => {};
    const [wire] = await h2Served((peer, id) => {
      peer.head(id);
      first = () => peer.data(id, 'half');
      rest = () => {
        peer.data(id, ', half', true);
        peer.reset(id, CODE.none);
      };
    });
    const reply = await wire.send().reply;
    const got = Promise.withResolvers<void>();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = '';
    reply.attach({
      onData(chunk) {
        text += Buffer.from(chunk).toString();
        got.resolve();
        return false;
      },
      onEnd: () => resolve(text),
      onError: reject,
    });
    first();
    await got.promise;
    rest();
    await idle();
    expect(text).toBe('half');
    for (let turn = 0; turn < 3; turn++) {
      reply.resume();
      await idle();
    }
    expect(await promise).toBe('half, half');
  });

  it('REFUSED_STREAM with a body that flows: undici cannot repeat it, we can', async () => {
    const [wire, streams] = await h2Served((peer, id) => peer.reset(id, CODE.refused));
    const flowing = (async function* () {
      yield 'x';
    })();
    const { call, outcome } = wire.send({ method: 'POST', content: flowing });
    expect([await outcome, streams(), call.body?.replayable]).toEqual(['not_processed none retryable', 1, true]);
  });
});
