// Tests of a configuration: no sleep, no socket, less than a second. Run by vitest, as any other test.
// #region test
import { runTrial } from 'inmesh/testing';
import { expect, it } from 'vitest';

it('with one slow replica nobody waits for a second', async () => {
  const { inmesh, plain } = await runTrial({ config: 'examples/mesh.yaml', service: 'reviews', pathology: 'slow-replica' });
  expect(inmesh.goodput).toBeGreaterThan(0.999);
  expect(inmesh.p99Ms).toBeLessThan(1_000);
  expect(plain.goodput).toBeLessThan(0.7); // what it would be without the policies
});
// #endregion
