// One Node of the fault matrix, started by `npm run faults`: every row against the package as it is published. Prints one JSON list,
// and on stderr how far it is.
import type * as InmeshGrpc from '../../../src/grpc.ts';
import type * as Inmesh from '../../../src/index.ts';
import { entryOf } from './build.ts';
import { ROWS } from './rows.ts';
import { runRows } from './run-rows.ts';

const [dist = '', only = '', length = 'long'] = process.argv.slice(2);
const { createMesh } = await entryOf<typeof Inmesh>(dist, 'index');
const { grpcClient } = await entryOf<typeof InmeshGrpc>(dist, 'grpc');
const results = await runRows(
  ROWS,
  { createMesh, grpcClient, dist },
  {
    only: ({ id }) => id.includes(only),
    isLong: length === 'long',
    onResult: ({ id, protocol, isKept }, done, of) =>
      process.stderr.write(`Node ${process.versions.node}: ${done} of ${of}, ${id} ${protocol}${isKept ? '' : ' NOT AS PROMISED'}\n`),
  },
);
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit());
