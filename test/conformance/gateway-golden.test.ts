import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../house/tree.ts';
import { compareGolden, goldenFiles, type GoldenResult, hasGoldens } from './gateway-golden.ts';
import { goldenSection, KNOWN, withGoldens } from './gateway-golden-section.ts';

if (!hasGoldens) {
  it.skip("needs the goldens of Istio's converter in ../shared/conformance/istio/gateway-golden, which are not part of this repository", () => {});
}

describe.skipIf(!hasGoldens)("HTTPRoutes and what Istio's converter makes of them", () => {
  const results: GoldenResult[] = [];

  it.each(hasGoldens ? goldenFiles() : [])('%s', async (file) => {
    const found = await compareGolden(file);
    results.push(...found);
    const faults = found.flatMap(({ of, fault }) => (fault === null || KNOWN[`${file} ${of}`] !== undefined ? [] : [`${of}: ${fault}`]));
    expect(faults).toEqual([]);
  });

  it('are many, and what fails is known', () => {
    const asked = results.filter(({ excluded }) => excluded === null);
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(150);
    expect(asked.flatMap(({ file, of, fault }) => (fault === null ? [] : [`${file} ${of}`]))).toEqual(Object.keys(KNOWN));
  });

  it('are what docs/conformance.md says; else run npm run conformance', () => {
    const page = readFileSync(join(ROOT, 'docs/conformance.md'), 'utf8');
    expect(withGoldens(page, goldenSection(results))).toBe(page);
  });
});
