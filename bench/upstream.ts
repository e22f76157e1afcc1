// The far side: a child process with a raw socket server that answers every GET with the same bytes, so that the server
// costs as little as a server can. Listens on the ports that stand for endpoints; sends them to its parent.
import type { Socket } from 'node:net';
import { listenOnPorts } from './listen.ts';
import { BODY_BYTES } from './protocol.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const ANSWER: Buffer = Buffer.concat([
  Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\nserver: bench\r\ndate: Sat, 01 Jan 2028 00:00:00 GMT\r\n' +
      `keep-alive: timeout=60\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`,
  ),
  Buffer.alloc(BODY_BYTES, 0x61),
]);

/** Answers once for every end of a head; a head may come in pieces. The requests of this bench have no body. */
function answerAll(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let at = data.indexOf(HEAD_END); at !== -1; at = data.indexOf(HEAD_END, from)) {
      from = at + HEAD_END.length;
      socket.write(ANSWER);
    }
    rest = from === data.length ? Buffer.alloc(0) : data.subarray(Math.max(from, data.length - HEAD_END.length + 1));
  });
}

async function main(): Promise<void> {
  const ports = await listenOnPorts(answerAll, Number(process.argv[2]));
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system });
  });
  process.send?.({ ports });
}

await main();
