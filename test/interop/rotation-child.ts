// One run of the rotation rig in a process of its own, of any version of Node; prints the result as JSON.
import { type RotationOptions, rotateUnderLoad } from './rotation-rig.ts';

const result = await rotateUnderLoad(JSON.parse(process.argv[2] ?? '{}') as RotationOptions);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
