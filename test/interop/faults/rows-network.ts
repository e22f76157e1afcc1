// Rows of the fault matrix that need a network which loses, swallows or refuses packets.
import { inNamespace } from './namespace.ts';
import type { Protocol } from './peers.ts';
import type { FaultRow, ScenarioCell } from './row.ts';

function all(scenario: string, expected: string): FaultRow['cells'] {
  const cell = (protocol: Protocol): ScenarioCell => ({
    run: ({ dist }) => inNamespace(scenario, protocol, dist),
    expected,
    isLong: true,
    needsNamespace: true,
  });
  return { http1: cell('http1'), http2: cell('http2'), grpc: cell('grpc') };
}

export const NETWORK_ROWS: readonly FaultRow[] = [
  {
    id: 'black-hole',
    fault: 'packets vanish (black hole)',
    class: 'N',
    promise: 'the attempt ends by its timeout, with nothing sent; another endpoint within the deadline',
    cells: all('black-hole', 'alone: deadline_exceeded ended none; beside another: 200 ok'),
  },
  {
    id: 'unreachable',
    fault: 'ICMP host unreachable',
    class: 'N',
    promise: 'as refused: another endpoint at once',
    cells: all('unreachable', 'alone: connect_failed failed none; beside another: 200 ok'),
  },
  {
    id: 'admin-reset',
    fault: 'a firewall resets the connection',
    class: 'N',
    promise: 'as refused: another endpoint at once',
    cells: all('admin-reset', 'alone: connect_failed failed none; beside another: 200 ok'),
  },
  {
    id: 'loss',
    fault: 'one packet in ten is lost on the way to the server',
    class: '–',
    promise: 'no call fails; p99 within two attempts',
    cells: all('loss', '0 of 200 calls failed, p99 within two attempts'),
  },
];
