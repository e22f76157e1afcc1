// The transport of one endpoint against real sockets: what a call comes to, in one line, and servers that misbehave.
import type { Call, Endpoint, Reply } from '../../src/core/call.ts';
import type { Clock } from '../../src/core/clock.ts';
import { MeshError } from '../../src/core/errors.ts';
import { type ConnectionPolicy, LIMITS_DEFAULTS, type LimitsPolicy, type TlsPolicy } from '../../src/model/destination.ts';
import { requestBody } from '../../src/transport/body.ts';
import { endpointTransport, type EndpointTransport, ServiceTransport } from '../../src/transport/pool.ts';
import { testCall, type TestCallInit } from '../support/fake-service.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { Recorder } from './fake-wire.ts';
import { loadTls } from '../../src/transport/tls-room.ts';

await loadTls();

export { closedPort, OK, type RawServer, rawServer } from '../interop/faults/raw-server.ts';

export interface WireInit {
  readonly host?: string;
  readonly protocol?: 'http1' | 'http2';
  readonly tls?: TlsPolicy;
  readonly limits?: Partial<LimitsPolicy>;
  readonly connections?: ConnectionPolicy;
  readonly endpoints?: number;
  readonly clock?: Clock;
  /** Of another endpoint of the same service. */
  readonly shared?: ServiceTransport;
}

export interface SentCall {
  readonly call: Call;
  readonly reply: Promise<Reply>;
  /** `200 the body`, or `200 then connection_lost body`, or `connect_failed none retryable`. */
  readonly outcome: Promise<string>;
}

export interface RealWire {
  readonly transport: EndpointTransport;
  readonly shared: ServiceTransport;
  send(init?: TestCallInit & { readonly content?: unknown }): SentCall;
  outcome(init?: TestCallInit & { readonly content?: unknown }): Promise<string>;
}

function words(error: unknown): string {
  if (!(error instanceof MeshError)) return String(error);
  return [error.code, error.sent, ...(error.retryable ? ['retryable'] : [])].join(' ');
}

async function read(reply: Reply): Promise<string> {
  const sink = new Recorder();
  const { promise, resolve } = Promise.withResolvers<string>();
  reply.attach({
    onData: (chunk) => sink.onData(chunk),
    onEnd: () => resolve(`${reply.status} ${sink.bytes > 100 ? sink.bytes : sink.text}`.trim()),
    onError: (error) => resolve(`${reply.status} then ${words(error)}`),
  });
  return promise;
}

export function realWire(port: number, init: WireInit = {}): RealWire {
  const {
    host = '127.0.0.1',
    protocol = 'http1',
    tls = { mode: 'disable' },
    limits = {},
    connections,
    endpoints = 1,
    clock = new VirtualClock(),
  } = init;
  const policy = { service: 'reviews', protocol, tls, limits: { ...LIMITS_DEFAULTS, ...limits }, connections, endpoints };
  const shared = init.shared ?? new ServiceTransport(policy, { clock, identity: null });
  const endpoint: Endpoint = {
    address: `${host}:${port}`,
    host,
    port,
    labels: {},
    locality: '',
    service: () => Promise.reject(new Error('not used')),
  };
  const transport = endpointTransport(endpoint, shared);
  const send: RealWire['send'] = ({ content, ...rest } = {}) => {
    const body = content === undefined ? null : requestBody(content, -1, 65_536);
    const headers = [...(rest.headers ?? [])];
    if (body !== null && !body.isCounted && body.length >= 0) headers.push('content-length', String(body.length));
    const call = testCall({ startedAtMs: clock.now(), ...rest, headers, body }).fork(1, clock.now());
    call.endpoint = endpoint;
    const reply = transport.service(call);
    return { call, reply, outcome: reply.then(read, words) };
  };
  return { transport, shared, send, outcome: (one) => send(one).outcome };
}

/** Long enough for undici to look after a socket that has just answered. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
