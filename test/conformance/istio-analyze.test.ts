import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../house/tree.ts';
import { hasDocuments, runCase, sectionOf, withSection } from './istio-analyze.ts';
import { ANALYZE_CASES } from './istio-analyze-cases.ts';
import { EXCLUDED } from './istio-analyze-excluded.ts';

const PAGE = join(ROOT, 'docs/conformance.md');

if (!hasDocuments) {
  it.skip("needs Istio's analyzer documents in ../shared/conformance/istio/analyze, which are not part of this repository", () => {});
}

describe.skipIf(!hasDocuments)("Istio's analyzer cases", () => {
  it.each(ANALYZE_CASES.map((test) => [test.name, test] as const))('%s', async (_name, test) => {
    const { found, expected } = await runCase(test);
    expect(found).toEqual(expected);
  });

  it('are all run, or excluded with a reason', () => {
    const named = new Set([
      ...ANALYZE_CASES.flatMap(({ files }) => files),
      ...EXCLUDED.flatMap(({ cases }) => Object.values(cases).flat()),
      // No test of Istio's reads these.
      'envoy-filter-patch-operation',
      'mesh-with-automtls',
      'peerauthentication-crd',
    ]);
    const files = readdirSync(join(ROOT, '../shared/conformance/istio/analyze')).map((name) => name.replace(/\.yaml$/, ''));
    expect(files.filter((file) => !named.has(file))).toEqual([]);
    expect([...named].filter((file) => !files.includes(file))).toEqual([]);
  });

  it('can fail', async () => {
    const [first] = ANALYZE_CASES;
    const { isPassed, found } = await runCase({ ...(first as (typeof ANALYZE_CASES)[number]), expected: [] });
    expect({ isPassed, found: found.length > 0 }).toEqual({ isPassed: false, found: true });
  });

  it('are what docs/conformance.md says; else run node .ci/conformance-analyze.ts', async () => {
    const section = sectionOf(await Promise.all(ANALYZE_CASES.map(runCase)));
    const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
    expect(withSection(page, section)).toBe(page);
  });
});

describe('the page', () => {
  it('keeps what others wrote around the section', () => {
    const first = withSection('# Conformance\n\n## Others\n', 'one');
    expect(first).toBe('# Conformance\n\n## Others\n\n<!-- generated: istio-analyze -->\none\n<!-- end: istio-analyze -->\n');
    expect(withSection(`${first}\nMore.\n`, 'two')).toBe(`${first.replace('one', 'two')}\nMore.\n`);
    expect(withSection('', 'one')).toBe('<!-- generated: istio-analyze -->\none\n<!-- end: istio-analyze -->\n');
  });
});
