// The fault matrix: every row of it. docs/reliability.md shows it, observed beside promised.
import { CONNECTION_ROWS } from './rows-connection.ts';
import { HTTP1_ROWS } from './rows-http1.ts';
import { HTTP2_ROWS } from './rows-http2.ts';
import { NETWORK_ROWS } from './rows-network.ts';
import { PROCESS_ROWS } from './rows-process.ts';
import type { FaultRow } from './row.ts';

/** Waits for the gRPC client: its statuses from those of HTTP. */
const GRPC_ROWS: readonly FaultRow[] = [
  {
    id: 'grpc-http-status',
    fault: 'HTTP 401, 403, 404, 429, 502 to 504 to a gRPC call',
    class: 'C',
    promise: 'the status that gRPC maps it to',
    cells: {},
    notFor: { http1: 'an answer like any other', http2: 'an answer like any other' },
  },
];

export const ROWS: readonly FaultRow[] = [...CONNECTION_ROWS, ...HTTP1_ROWS, ...HTTP2_ROWS, ...PROCESS_ROWS, ...NETWORK_ROWS, ...GRPC_ROWS];
