// A server on loopback with nothing but the authorize layer before its handler, and a caller that writes the request line itself.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { wrap } from '../../src/core/service.ts';
import { compileAccess } from '../../src/access/access.ts';
import { AccessCheck, type AccessParts, type Verdict } from '../../src/access/check.ts';
import { authorizeLayer } from '../../src/inbound/authorize-layer.ts';
import { Door } from '../../src/inbound/door.ts';
import { processLoop } from '../../src/inbound/event-loop.ts';
import type { Listener } from '../../src/inbound/handler.ts';
import { NOBODY, type TrustedCallers } from '../../src/inbound/trusted-callers.ts';
import type { SecurityPolicy } from '../../src/model/security.ts';
import { SELF } from '../access/cases.ts';

export interface AccessServer {
  readonly port: number;
  /** Denials, and what was recorded. */
  readonly verdicts: Verdict[];
  close(): Promise<void>;
}

export interface AccessServerOptions extends Partial<AccessParts> {
  readonly trusted?: TrustedCallers;
}

/** The handler behind the layer. `policies` null: no layer at all. */
export function guardedHandler(
  listener: Listener,
  policies: readonly SecurityPolicy[] | null,
  options: AccessServerOptions = {},
  verdicts: Verdict[] = [],
): Listener {
  const { trusted = NOBODY, ...parts } = options;
  const access = compileAccess(policies ?? [], SELF);
  const check = new AccessCheck({ access, tokens: null, authorizers: new Map(), functions: [], ...parts });
  const layers =
    policies === null ? [] : [authorizeLayer({ check, clock: systemClock, trusted, onVerdict: (one) => void verdicts.push(one) })];
  const host = {
    clock: systemClock,
    loop: processLoop,
    version: 0,
    guard: null,
    isDraining: false,
    wrap: (leaf: Parameters<typeof wrap>[0]) => wrap(leaf, layers),
    onOpened() {},
    onClosed() {},
  };
  return new Door(host, listener).handle;
}

export async function guarded(
  listener: Listener,
  policies: readonly SecurityPolicy[] | null,
  options: AccessServerOptions = {},
): Promise<AccessServer> {
  const verdicts: Verdict[] = [];
  const handle = guardedHandler(listener, policies, options, verdicts);
  const server = createServer((request: IncomingMessage, response: ServerResponse) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    verdicts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends the target as it is. */
export function rawAsk(port: number, target: string, headers: readonly string[] = ['host: reviews'], method = 'GET'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${method} ${target} HTTP/1.1\r\n${headers.join('\r\n')}\r\nconnection: close\r\n\r\n`),
    );
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const end = text.indexOf('\r\n\r\n');
      resolve({ status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) });
    });
  });
}
