// The far side of the leak gates: a raw socket server on several ports, whose answer depends on the path. Counts the sockets
// that were ever opened to it. Who begins with the preface of HTTP/2 gets /ok in that, without a length.
//   /ok     200 with 1 KiB          /large  200 with 256 KiB
//   /retry  503 to a first attempt, 200 to a repetition       /hang   never answers
import { createServer } from 'node:http2';
import type { Socket } from 'node:net';
import { listenOnPorts } from './listen.ts';
import { BODY_BYTES } from './protocol.ts';

const HEAD_END = '\r\n\r\n';
const HTTP2_BEGIN = 'PRI ';
const LARGE_BYTES = 256 * 1_024;
let sockets = 0;

function answer(status: string, bytes: number): Buffer {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\nkeep-alive: timeout=60\r\ncontent-length: ${bytes}${HEAD_END}`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, 0x61)]);
}

const OK_BODY = Buffer.alloc(BODY_BYTES, 0x61);
const OK = answer('200 OK', BODY_BYTES);
const LARGE = answer('200 OK', LARGE_BYTES);
const BUSY = answer('503 Service Unavailable', 20);

function answerTo(head: string): Buffer | null {
  if (head.startsWith('GET /hang')) return null;
  if (head.startsWith('GET /large')) return LARGE;
  if (head.startsWith('GET /retry')) return /x-envoy-attempt-count/i.test(head) ? OK : BUSY;
  return OK;
}

const http2 = createServer((_request, response) => response.end(OK_BODY));

function serve(socket: Socket): void {
  sockets++;
  socket.on('error', () => socket.destroy());
  socket.once('readable', () => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    socket.unshift(first);
    if (first.toString('latin1').startsWith(HTTP2_BEGIN)) http2.emit('connection', socket);
    else serveHttp1(socket);
  });
}

function serveHttp1(socket: Socket): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf(HEAD_END); end !== -1; end = text.indexOf(HEAD_END)) {
      const bytes = answerTo(text.slice(0, end));
      text = text.slice(end + HEAD_END.length);
      if (bytes !== null) socket.write(bytes);
    }
  });
}

async function main(): Promise<void> {
  const ports = await listenOnPorts(serve, Number(process.argv[2]));
  process.on('disconnect', () => process.exit());
  process.on('message', () => process.send?.({ sockets }));
  process.send?.({ ports });
}

await main();
