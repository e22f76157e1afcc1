// Runs the cases of Istio's analyzer tests and writes their section of docs/conformance.md. The documents are not part of this
// repository; without them nothing is written.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDocuments, runCase, sectionOf, withSection } from '../test/conformance/istio-analyze.ts';
import { ANALYZE_CASES } from '../test/conformance/istio-analyze-cases.ts';

const PAGE = join(fileURLToPath(new URL('..', import.meta.url)), 'docs/conformance.md');

if (!hasDocuments) console.error("Istio's analyzer documents are not here: docs/conformance.md stays as it is.");
else {
  const results = await Promise.all(ANALYZE_CASES.map(runCase));
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Conformance\n';
  writeFileSync(PAGE, withSection(page, sectionOf(results)));
  const failed = results.filter(({ isPassed }) => !isPassed).map(({ test }) => test.name);
  console.log(`${results.length - failed.length} of ${results.length} cases passed`);
  for (const name of failed) console.log(`failed: ${name}`);
}
