// The server side of a WebSocket, as little of it as a test needs: sends back the text of one short frame.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;

function echoFrame(socket: Socket, frame: Buffer): void {
  const [opcode, length] = [(frame[0] as number) & 0x0f, (frame[1] as number) & 0x7f];
  if (opcode !== TEXT) {
    socket.end();
    return;
  }
  const mask = frame.subarray(2, 6);
  const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i % 4] as number)));
  socket.write(Buffer.concat([Buffer.from([0x80 | TEXT, text.length]), text]));
}

/** For the `upgrade` event of a server. Any protocol is accepted; another than websocket gets its bytes back as they are. */
export function acceptUpgrade(request: IncomingMessage, socket: Socket): void {
  const { upgrade = '' } = request.headers;
  const key = createHash('sha1')
    .update(`${request.headers['sec-websocket-key'] ?? ''}${MAGIC}`)
    .digest('base64');
  socket.on('error', () => {});
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: ${upgrade}\r\nconnection: upgrade\r\nsec-websocket-accept: ${key}\r\n\r\n`);
  socket.on('data', (bytes: Buffer) => {
    if (upgrade === 'websocket') echoFrame(socket, bytes);
    else socket.write(bytes);
  });
}
