// One run of the rotation rig for gRPC in a process of its own, of any version of Node; prints the result as JSON.
import { rotateGrpcUnderLoad } from './rotation-rig.ts';

const [, , grpcFrom = '@grpc/grpc-js', forMs] = process.argv;
const result = await rotateGrpcUnderLoad({ grpcFrom, forMs: Number(forMs), everyMs: 250, callers: 3 });
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
