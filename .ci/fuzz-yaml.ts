// Puts texts before the readers of YAML for as long as it is told to, and names every one that they did not take well:
// `node .ci/fuzz-yaml.ts --seconds 60 [--seed 1] [--show 17]`. A find goes, made small, into test/yaml/fuzz/corpus.
import { parseArgs } from 'node:util';
import { FuzzRun } from '../test/yaml/fuzz/fuzz-run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    show: { type: 'string' },
  },
});

const run = await FuzzRun.start();
if (values.show !== undefined) {
  const find = await run.find(Number(values.show));
  console.log(find?.text ?? run.textsOf(Number(values.show)).join('---\n'));
  console.log(find?.fault ?? 'nothing is wrong with it');
} else {
  const end = performance.now() + Number(values.seconds) * 1_000;
  const first = Number(values.seed);
  let seed = first;
  let finds = 0;
  for (; performance.now() < end; seed++) {
    const find = await run.find(seed);
    if (find === null) continue;
    finds++;
    console.log(`seed ${seed}: ${find.fault.split('\n').slice(0, 4).join('\n')}\n`);
  }
  console.log(`${seed - first} texts from seed ${first} on, ${finds} finds`);
  process.exitCode = finds === 0 ? 0 : 1;
}
