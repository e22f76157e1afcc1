// The long form of the fuzzer's run in fuzz.test.ts, with other texts.
import { expect, it } from 'vitest';
import { faultsOf } from './fuzz-run.ts';

const RUNS = 3_000;

it(`the readers take ${RUNS} texts that were drawn`, async () => {
  expect(await faultsOf(RUNS, 10_000)).toEqual([]);
});
