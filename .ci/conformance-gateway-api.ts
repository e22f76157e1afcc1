// Plays the Gateway API's conformance suite and writes its section of docs/conformance.md. The data of the suite is not part
// of this repository; without it nothing is written.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { playSuite } from '../test/conformance/gateway-api/play.ts';
import { gatewayApiSection, withGatewayApi } from '../test/conformance/gateway-api/section.ts';
import { loadSuite } from '../test/conformance/gateway-api/suite.ts';

const PAGE = join(fileURLToPath(new URL('..', import.meta.url)), 'docs/conformance.md');
const suite = loadSuite();

if (suite === null) console.error("The Gateway API's conformance data is not here: docs/conformance.md stays as it is.");
else {
  const result = await playSuite(suite);
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Conformance\n';
  writeFileSync(PAGE, withGatewayApi(page, gatewayApiSection(suite, result)));
  for (const outcome of ['passed', 'failed', 'excluded'] as const) {
    console.log(`${result.cases.filter((one) => one.outcome === outcome).length} ${outcome}`);
  }
  for (const { test, index, name, reason } of result.cases.filter(({ outcome }) => outcome === 'failed')) {
    console.log(`failed: ${test} ${index} ${name}: ${reason}`);
  }
}
