// Rows of the fault matrix that are the same for every protocol: what goes wrong with a connection. The gRPC column joins `both`
// when there is a client for it.
import type { Socket } from 'node:net';
import { type FaultCell, HASTY, type Observed } from './observe.ts';
import { type IllPeer, illHttp1, illHttp2, illLine, illPort, type Protocol } from './peers.ts';
import type { H2Peer } from './raw-h2-server.ts';
import type { FaultRow } from './row.ts';
import type { TcpFault } from './tcp-proxy.ts';

const LARGE = 'x'.repeat(50_000);

interface Both {
  readonly rest?: Partial<FaultCell>;
  /** Where HTTP/2 differs. */
  readonly http2?: Observed;
}

function both(
  peer: (protocol: Protocol) => Promise<IllPeer>,
  expected: Observed,
  { rest, http2 = expected }: Both = {},
): FaultRow['cells'] {
  return {
    http1: { peer: () => peer('http1'), expected, ...rest },
    http2: { peer: () => peer('http2'), expected: http2, ...rest },
  };
}

const line = (fault: TcpFault, answer?: string) => (protocol: Protocol) => illLine(protocol, fault, answer);

/** The same deed on either protocol, once the request is there. */
const onRequest = (act: (socket: Socket) => void) => (protocol: Protocol) =>
  protocol === 'http1' ? illHttp1(act) : illHttp2((peer: H2Peer) => act(peer.socket));

const end = (socket: Socket): void => void socket.end();
const reset = (socket: Socket): void => void socket.resetAndDestroy();

export const CONNECTION_ROWS: readonly FaultRow[] = [
  {
    id: 'refused',
    fault: 'connection refused',
    class: 'N',
    promise: 'repeated for every method, at another endpoint within the deadline',
    cells: both(illPort, { get: 'connect_failed failed none ×0', post: 'connect_failed failed none ×0', spare: '200 ok ×0' }),
  },
  {
    id: 'accept-reset',
    fault: 'RST on accept',
    class: 'N',
    promise: 'as refused, or as a connection that broke under the request',
    cells: both(line({ kind: 'reset' }), {
      get: 'connect_failed failed none ×5',
      post: 'connect_failed failed none ×5',
      spare: '200 ok ×1',
    }),
  },
  {
    id: 'accept-end',
    fault: 'FIN on accept',
    class: 'U',
    promise: 'repeated only when it may be done twice',
    cells: both(line({ kind: 'end' }), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'fin-after-request',
    fault: 'FIN after the request, no byte of an answer',
    class: 'U',
    promise: 'fresh socket: the endpoint may have acted, so it is told and not repeated by default',
    cells: both(onRequest(end), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'rst-after-request',
    fault: 'RST after the request, no byte of an answer',
    class: 'U',
    promise: 'as FIN',
    cells: both(onRequest(reset), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'fin-reused',
    fault: 'the same FIN on a reused connection',
    class: 'U',
    promise: 'one more attempt for what may be done twice: the endpoint very likely closed it while it was idle',
    cells: both(
      onRequest(end),
      { get: 'connection_lost failed head ×2', post: 'connection_lost failed head ×1', spare: '200 ok ×1' },
      { rest: { isReused: true } },
    ),
  },
  {
    id: 'rst-reused',
    fault: 'the same RST on a reused connection',
    class: 'U',
    promise: 'as FIN',
    cells: both(
      onRequest(reset),
      { get: 'connection_lost failed head ×2', post: 'connection_lost failed head ×1', spare: '200 ok ×1' },
      { rest: { isReused: true } },
    ),
  },
  {
    id: 'cut-head',
    fault: 'FIN in the response head',
    class: 'U',
    promise: 'never an answer; repeated only when it may be done twice',
    cells: both(line({ kind: 'cut', bytes: 12, how: 'end' }), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'reset-head',
    fault: 'RST in the response head',
    class: 'U',
    promise: 'as FIN',
    cells: both(line({ kind: 'cut', bytes: 12, how: 'reset' }), {
      get: 'connection_lost failed head ×1',
      post: 'connection_lost failed head ×1',
      spare: 'connection_lost failed head ×1',
    }),
  },
  {
    id: 'cut-body',
    fault: 'FIN in a body of known length',
    class: 'B',
    promise: 'the error reaches the reader; never a short answer, never repeated; counts against the endpoint',
    cells: both(line({ kind: 'cut', bytes: 8_000, how: 'end' }, LARGE), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'reset-body',
    fault: 'RST in a body of known length',
    class: 'B',
    promise: 'as FIN',
    cells: both(line({ kind: 'cut', bytes: 8_000, how: 'reset' }, LARGE), {
      get: '200, then connection_lost failed body ×1',
      post: '200, then connection_lost failed body ×1',
      spare: '200, then connection_lost failed body ×1',
    }),
  },
  {
    id: 'mute',
    fault: 'the endpoint never answers',
    class: 'U',
    promise: 'attempt_timeout after perTryTimeout, then deadline_exceeded; precise to 20 ms by a timer of our own',
    cells: both(
      line({ kind: 'stall' }),
      { get: 'attempt_timeout ended head ×2', post: 'attempt_timeout ended head ×1', spare: '200 ok ×1' },
      {
        rest: { service: HASTY },
        http2: { get: 'attempt_timeout ended head ×1', post: 'attempt_timeout ended head ×1', spare: '200 ok ×1' },
      },
    ),
  },
  {
    id: 'dribble-head',
    fault: 'the response head dribbles',
    class: 'U',
    promise: 'a head that is not whole in time is none',
    cells: both(
      line({ kind: 'dribble', ms: 20 }),
      { get: 'attempt_timeout ended head ×2', post: 'attempt_timeout ended head ×1', spare: '200 ok ×1' },
      {
        rest: { service: HASTY },
        http2: { get: 'attempt_timeout ended head ×1', post: 'attempt_timeout ended head ×1', spare: '200 ok ×1' },
      },
    ),
  },
  {
    id: 'garbage',
    fault: 'garbage instead of an answer',
    class: 'C',
    promise: 'protocol_error, not repeated; counts against the endpoint',
    cells: both(
      line({ kind: 'garbage', text: 'SSH-2.0-OpenSSH_9.2\r\n' }),
      { get: 'protocol_error failed head ×1', post: 'protocol_error failed head ×1', spare: 'protocol_error failed head ×1' },
      { http2: { get: 'connection_lost failed head ×1', post: 'connection_lost failed head ×1', spare: 'connection_lost failed head ×1' } },
    ),
  },
];
