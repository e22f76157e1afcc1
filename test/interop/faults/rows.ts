// The fault matrix: every row of it. docs/reliability.md shows it, observed beside promised.
import { CONNECTION_ROWS } from './rows-connection.ts';
import { HTTP1_ROWS } from './rows-http1.ts';
import { HTTP2_ROWS } from './rows-http2.ts';
import { NETWORK_ROWS } from './rows-network.ts';
import { PROCESS_ROWS } from './rows-process.ts';
import { observeGrpc, promisedGrpc } from './observe-grpc.ts';
import type { FaultClass, FaultRow, ScenarioCell } from './row.ts';
import { GRPC_FAULTS, type GrpcFault } from './rows-grpc.ts';

const HTTP_ROWS: readonly FaultRow[] = [...CONNECTION_ROWS, ...HTTP1_ROWS, ...HTTP2_ROWS, ...PROCESS_ROWS, ...NETWORK_ROWS];

const OWN_PROMISES: Partial<Readonly<Record<FaultClass, string>>> = {
  A: 'the status that gRPC maps it to, and the server its own; repeated where `retryOn` names what it counts as',
  U: 'told; repeated only where the application may be asked twice',
};

function grpcCell(fault: GrpcFault): ScenarioCell {
  return { run: (library) => observeGrpc(library, fault), expected: promisedGrpc(fault), isUntimed: true };
}

/** gRPC beside the others where the fault is the same. */
function withGrpc(row: FaultRow): FaultRow {
  const fault = GRPC_FAULTS.find(({ id }) => id === row.id);
  return fault === undefined ? row : { ...row, cells: { ...row.cells, grpc: grpcCell(fault) } };
}

const GRPC_ROWS: readonly FaultRow[] = GRPC_FAULTS.filter(({ id }) => !HTTP_ROWS.some((row) => row.id === id)).map((fault) => ({
  id: fault.id,
  fault: `gRPC: ${fault.fault}`,
  class: fault.class,
  promise: OWN_PROMISES[fault.class] ?? '',
  cells: { grpc: grpcCell(fault) },
}));

export const ROWS: readonly FaultRow[] = [...HTTP_ROWS.map(withGrpc), ...GRPC_ROWS];
