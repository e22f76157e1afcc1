// Compares HTTPRoutes with the VirtualServices that Istio's converter makes of them, and writes their section of
// docs/conformance.md. The documents are not part of this repository; without them nothing is written.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareGolden, goldenFiles, type GoldenResult, hasGoldens } from '../test/conformance/gateway-golden.ts';
import { goldenSection, withGoldens } from '../test/conformance/gateway-golden-section.ts';

const PAGE = join(fileURLToPath(new URL('..', import.meta.url)), 'docs/conformance.md');

if (!hasGoldens) console.error("The goldens of Istio's converter are not here: docs/conformance.md stays as it is.");
else {
  const results: GoldenResult[] = [];
  for (const file of goldenFiles()) results.push(...(await compareGolden(file)));
  writeFileSync(PAGE, withGoldens(readFileSync(PAGE, 'utf8'), goldenSection(results)));
  for (const { file, of, fault } of results) if (fault !== null) console.log(`failed: ${file} ${of}: ${fault}`);
}
