// One Node of the fault matrix, started by `npm run faults`: every row against the package as it is published. Prints one JSON list.
import type * as InmeshGrpc from '../../../src/grpc.ts';
import type * as Inmesh from '../../../src/index.ts';
import { ROWS } from './rows.ts';
import { runRows } from './run-rows.ts';

const [dist = '', only = '', length = 'long'] = process.argv.slice(2);
const { createMesh } = (await import(new URL('index.js', dist).href)) as typeof Inmesh;
const { grpcClient } = (await import(new URL('grpc.js', dist).href)) as typeof InmeshGrpc;
const results = await runRows(ROWS, { createMesh, grpcClient }, { only: ({ id }) => id.includes(only), isLong: length === 'long' });
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit());
