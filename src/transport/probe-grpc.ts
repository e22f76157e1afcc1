// The check by grpc.health.v1.Health/Check over HTTP/2. Both messages have one field, so they are written and read by hand.
// Source: grpc/health/v1/health.proto; gRPC over HTTP/2.
import { connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { HealthCheckPolicy } from '../model/balancing.ts';
import { connected, openSocket, PASSED, type ProbeAttempt, type ProbeResult, type ProbeTarget } from './probe-socket.ts';

const SERVING = 1;
/** Values of `HealthCheckResponse.ServingStatus`. */
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const UNIMPLEMENTED = '12';
const NOT_FOUND = '5';
/** A longer answer is none of this protocol. */
const ANSWER_BYTES_MAX = 1_024;
const FRAME_HEAD_BYTES = 5;

export function grpcProbe(target: ProbeTarget, policy: HealthCheckPolicy): ProbeAttempt {
  const socket = openSocket(target, ['h2']);
  return {
    // Only then: what fails before would come as the end of a stream, with its cause hidden.
    result: connected(socket, target).then(() => check(socket, target, policy)),
    close: () => socket.destroy(),
  };
}

function check(socket: Socket, { name, tls }: ProbeTarget, { service, timeoutMs }: HealthCheckPolicy): Promise<ProbeResult> {
  const session = connectHttp2(`${tls === null ? 'http' : 'https'}://${name}`, { createConnection: () => socket });
  session.unref();
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    session.on('close', () => reject(new Error('the connection was closed')));
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('error', reject);
    stream.on('response', (head) => {
      headers = head;
    });
    stream.on('trailers', (last) => {
      trailers = last;
    });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) reject(new Error('the answer is too long to be one of gRPC health'));
      else chunks.push(chunk);
    });
    stream.on('end', () => resolve(judge(headers, trailers, Buffer.concat(chunks))));
    stream.end(encodeCheck(service));
  });
}

function judge(headers: IncomingHttpHeaders, trailers: IncomingHttpHeaders, body: Buffer): ProbeResult {
  const answered = Number(headers[':status'] ?? 0);
  if (answered !== 200) return { ok: false, reason: `HTTP ${answered}, not gRPC` };
  // An answer without a message has its trailers in the head.
  const status = trailers['grpc-status'] ?? headers['grpc-status'];
  if (status === UNIMPLEMENTED) return { ok: false, reason: 'grpc-status 12: the server has no grpc.health.v1.Health service' };
  if (status === NOT_FOUND) return { ok: false, reason: 'grpc-status 5: the server knows no health of that service name' };
  if (status !== '0') return { ok: false, reason: `grpc-status ${String(status ?? 'missing')}` };
  const serving = decodeStatus(body);
  return serving === SERVING ? PASSED : { ok: false, reason: STATUS_NAMES[serving] ?? `an unreadable answer` };
}

/** `HealthCheckRequest { string service = 1 }` in its frame. An empty name is left out, as in every proto3 message. */
export function encodeCheck(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `HealthCheckResponse { ServingStatus status = 1 }` out of its frame; 0 when the field is absent, -1 when it is no such message. */
export function decodeStatus(frame: Buffer): number {
  if (frame.length < FRAME_HEAD_BYTES || frame[0] !== 0 || frame.readUInt32BE(1) !== frame.length - FRAME_HEAD_BYTES) return -1;
  let status = 0;
  for (let at = FRAME_HEAD_BYTES; at < frame.length; ) {
    const [tag, afterTag] = readVarint(frame, at);
    const [value, afterValue] = readVarint(frame, afterTag);
    if (afterTag < 0 || afterValue < 0) return -1;
    const wireType = tag & 7;
    if (tag === 0x08) status = value;
    // Fields that a later version of the message may have.
    if (wireType === 0) at = afterValue;
    else if (wireType === 2) at = afterValue + value;
    else return -1;
    if (at > frame.length) return -1;
  }
  return status;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** The number, and where it ends; an end of -1 when there is none. Enough for 28 bits: nothing here is longer. */
function readVarint(bytes: Buffer, from: number): [value: number, end: number] {
  let value = 0;
  if (from < 0) return [0, -1];
  for (let i = 0; i < 4; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return [0, -1];
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return [value, from + i + 1];
  }
  return [0, -1];
}
