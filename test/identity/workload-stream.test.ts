// The call to an agent, frame by frame: what is asked, how the answer is cut into messages, and that it ends once.
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openWorkloadStream } from '../../src/identity/workload-stream.ts';

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

interface Ended {
  readonly status: number;
  readonly message: string;
}

interface Call {
  /** How long each message was, or what it said. */
  readonly messages: string[];
  readonly ends: Ended[];
  readonly ended: Promise<Ended>;
  readonly socket: Socket;
  readonly socketClosed: Promise<void>;
  cancel(): void;
}

type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, call: () => Call) => void;

function headOf(bytes: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes, 1);
  return head;
}

function frame(text: string): Buffer {
  return Buffer.concat([headOf(Buffer.byteLength(text)), Buffer.from(text)]);
}

const ANSWERED = { ':status': 200, 'content-type': 'application/grpc' } as const;

/** Answered 200, then these bytes, then these trailers. */
function answering(bytes: readonly Uint8Array[], trailers: Record<string, string> = { 'grpc-status': '0' }): Answer {
  return (stream) => {
    stream.respond(ANSWERED, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    for (const chunk of bytes) stream.write(chunk);
    stream.end();
  };
}

async function calling(answer: Answer, onMessage: (call: Call, message: Uint8Array) => void = () => {}): Promise<Call> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
  const socket = connect({ host: '127.0.0.1', port });
  const socketClosed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const { promise: ended, resolve: tellEnd } = Promise.withResolvers<Ended>();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers, () => call);
  });
  server.on('session', (session) => session.on('error', () => {}));
  const messages: string[] = [];
  const ends: Ended[] = [];
  const cancel = openWorkloadStream(() => socket, {
    onMessage(message) {
      messages.push(message.length > 100 ? String(message.length) : Buffer.from(message).toString());
      onMessage(call, message);
    },
    onEnd(status, message) {
      ends.push({ status, message });
      tellEnd({ status, message });
    },
  });
  const call: Call = { messages, ends, ended, socket, socketClosed, cancel };
  closers.push(() => {
    cancel();
    server.close();
  });
  return call;
}

/** What came, after the connection is closed as well. */
async function outcome(answer: Answer): Promise<readonly [messages: readonly string[], ends: readonly Ended[]]> {
  const { ended, socketClosed, messages, ends } = await calling(answer);
  await ended;
  await socketClosed;
  return [messages, ends];
}

describe('a call to an agent', () => {
  it('is one empty message, with the header that keeps browsers out', async () => {
    const { promise, resolve } = Promise.withResolvers<readonly [IncomingHttpHeaders, Buffer]>();
    const { ended } = await calling((stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        resolve([headers, Buffer.concat(chunks)]);
        answering([])(stream, headers, () => null as never);
      });
    });
    const [headers, body] = await promise;
    expect({ ...headers }).toMatchObject({
      ':method': 'POST',
      ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
      ':scheme': 'http',
      'content-type': 'application/grpc',
      te: 'trailers',
      'workload.spiffe.io': 'true',
    });
    expect([...body]).toEqual([0, 0, 0, 0, 0]);
    expect(await ended).toEqual({ status: 0, message: '' });
  });

  const OK = { status: 0, message: '' };
  const abc = Buffer.concat([frame('a'), frame('bb'), frame('ccc')]);
  const REFUSED = { status: 2, message: 'it sends a message that is compressed or too large' };

  it.each<[string, readonly Uint8Array[], readonly string[], Ended]>([
    ['several in one piece', [abc], ['a', 'bb', 'ccc'], OK],
    ['one that is empty', [frame('')], [''], OK],
    ['one byte after the other', [...abc].map((byte) => Buffer.from([byte])), ['a', 'bb', 'ccc'], OK],
    ['longer than what comes at once', [frame('x'.repeat(100_000)), frame('a')], ['100000', 'a'], OK],
    ['one that says it has 4 MiB', [frame('a'), headOf(MESSAGE_BYTES_MAX), Buffer.from('x')], ['a'], OK],
    ['one that says it has more', [Buffer.concat([frame('a'), headOf(MESSAGE_BYTES_MAX + 1), abc])], ['a'], REFUSED],
    ['that are compressed', [Buffer.concat([Buffer.from([1]), frame('a').subarray(1), frame('b')])], [], REFUSED],
    ['one that does not end', [frame('abc').subarray(0, 7)], [], OK],
  ])('messages: %s', async (_, bytes, messages, end) => {
    expect(await outcome(answering(bytes))).toEqual([messages, [end]]);
  });

  it.each<[string, Answer, Ended]>([
    ['in trailers', answering([], { 'grpc-status': '14', 'grpc-message': 'busy%20now' }), { status: 14, message: 'busy now' }],
    [
      'at once',
      (stream) => stream.respond({ ...ANSWERED, 'grpc-status': '7', 'grpc-message': '100%' }, { endStream: true }),
      { status: 7, message: '100%' },
    ],
    [
      'of gRPC, whatever HTTP says',
      (stream) => stream.respond({ ':status': 503, 'grpc-status': '12' }, { endStream: true }),
      { status: 12, message: '' },
    ],
    ['of HTTP', (stream) => stream.respond({ ':status': 503 }, { endStream: true }), { status: 2, message: 'it answers HTTP 503' }],
    ['that is not there', answering([], { 'x-other': '1' }), { status: 14, message: 'the stream was closed' }],
    ['of a stream that is cut', (stream) => stream.close(8), { status: 14, message: 'the stream was closed' }],
    [
      'of a stream that is broken',
      (stream) => stream.close(2),
      { status: 14, message: 'Stream closed with error code NGHTTP2_INTERNAL_ERROR' },
    ],
    ['of a connection that is cut', (stream) => stream.session?.destroy(), { status: 14, message: 'the stream was closed' }],
  ])('a status %s ends it once', async (_, answer, end) => {
    expect(await outcome(answer)).toEqual([[], [end]]);
  });

  it('is over when its owner says so: no word more, and the connection is closed', async () => {
    const said = Promise.withResolvers<void>();
    const { cancel, messages, ends, socketClosed } = await calling(
      (stream) => {
        stream.respond(ANSWERED);
        stream.write(Buffer.concat([frame('a'), frame('b')]));
      },
      (call) => {
        call.cancel();
        said.resolve();
      },
    );
    await said.promise;
    await socketClosed;
    cancel();
    expect([messages, ends]).toEqual([['a'], []]);
  });

  it('holds no process', async () => {
    const { ended } = await calling((stream, headers, call) => {
      holds = (call().socket as unknown as { readonly _handle: { hasRef(): boolean } })._handle.hasRef();
      answering([])(stream, headers, call);
    });
    let holds = true;
    await ended;
    expect(holds).toBe(false);
  });
});
