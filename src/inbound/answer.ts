// Writes what the inbound stack itself answers: a refusal as a sidecar would give it, or the reply of a layer. The body of
// the request is not read: Node throws small ones away and keeps the connection; a long one ends it.
import type { ServerResponse } from 'node:http';
import type { Reply } from '../core/call.ts';
import { ERROR_CODES, type MeshError, type MeshErrorCode } from '../core/errors.ts';
import { ERROR_HEADER, LOAD_HEADER } from '../core/headers.ts';
import type { InboundCall } from './inbound-call.ts';

/** Longer request bodies are not read to their end only to keep a connection. */
const UNREAD_BYTES_MAX = 65_536;

/** What the caller may know; the messages of errors are for this side. */
const BODIES: Readonly<Record<string, string>> = {
  overloaded: 'server overloaded',
  deadline_exceeded: 'deadline exceeded before the call was served',
};

export function refusalText(code: MeshErrorCode): string {
  return BODIES[code] ?? ERROR_CODES[code].body;
}

export function writeRefusal(call: InboundCall, { code, retryAfterMs }: MeshError): void {
  const { response } = call;
  if (response.headersSent || response.destroyed) return;
  const { status } = ERROR_CODES[code];
  const text = refusalText(code);
  const headers: Record<string, string> = { 'content-type': 'text/plain', 'content-length': String(text.length), [ERROR_HEADER]: code };
  if (code === 'overloaded') {
    headers['x-envoy-overloaded'] = 'true';
    headers[LOAD_HEADER] = call.load;
  }
  if (retryAfterMs > 0) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  leaveBody(call);
  response.writeHead(status, headers).end(text);
}

export function writeReply(call: InboundCall, reply: Reply): void {
  const { response } = call;
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of Object.entries(reply.headers)) if (value !== undefined) response.setHeader(name, value);
  leaveBody(call);
  if (reply.statusText === '') response.writeHead(reply.status);
  else response.writeHead(reply.status, reply.statusText);
  reply.attach({
    onData(chunk) {
      response.write(chunk);
      return true;
    },
    onEnd: () => void response.end(),
    onError: () => void response.destroy(),
  });
}

/** Answers a request that may not even become a call, and ends its connection. */
export function turnAway(response: ServerResponse, status: number, text: string): void {
  closeAfter(response);
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': String(text.length) }).end(text);
}

/** Sets how the connection goes on for a request whose body nobody will read. */
function leaveBody(call: InboundCall): void {
  const { request } = call;
  const length = Number(call.header('content-length') ?? (call.header('transfer-encoding') === undefined ? 0 : Number.POSITIVE_INFINITY));
  if (request.httpVersionMajor === 1 && length > UNREAD_BYTES_MAX) closeAfter(call.response);
}

/** This is the last answer on its connection. HTTP/2 has no such word. */
export function closeAfter(response: ServerResponse): void {
  if (response.req.httpVersionMajor === 1 && !response.headersSent) response.setHeader('connection', 'close');
}
