import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../house/tree.ts';
import { KNOWN } from './known-failures.ts';
import { playSuite, type SuiteResult } from './play.ts';
import { gatewayApiSection, played, withGatewayApi } from './section.ts';
import { loadSuite } from './suite.ts';

const PAGE = join(ROOT, 'docs/conformance.md');
const suite = loadSuite();

/** They only grow. */
const PASSED_MIN = 350;
const PLAYED_MIN = 350;
const SHARE_MIN = 0.95;
const RUN_MS_MAX = 60_000;

if (suite === null) {
  it.skip("needs the Gateway API's conformance data in ../shared/conformance/gateway-api, which is not part of this repository", () => {});
} else {
  describe("the Gateway API's conformance suite", () => {
    let result: SuiteResult;
    beforeAll(async () => {
      result = await playSuite(suite);
    }, RUN_MS_MAX);

    it('is played wherever a caller can play it', () => {
      expect(played(result).length).toBeGreaterThanOrEqual(PLAYED_MIN);
      expect(
        result.cases.filter(({ outcome }) => outcome === 'excluded').every(({ needs, reason }) => needs !== undefined && reason !== ''),
      ).toBe(true);
    });

    it('holds but for what is known', () => {
      const failed = played(result).filter(({ outcome }) => outcome === 'failed');
      expect(failed.filter(({ test, index }) => KNOWN[`${test} ${index}`] === undefined)).toEqual([]);
      expect(played(result).filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThanOrEqual(PASSED_MIN);
      expect(failed.length / played(result).length).toBeLessThan(1 - SHARE_MIN);
    });

    it('fails where failures are known; else take the entry out of known-failures.ts', () => {
      const failed = played(result).filter(({ outcome }) => outcome === 'failed');
      expect(Object.keys(KNOWN)).toEqual(failed.map(({ test, index }) => `${test} ${index}`));
    });

    it('is what docs/conformance.md says; else run node .ci/conformance-gateway-api.ts', () => {
      const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
      expect(withGatewayApi(page, gatewayApiSection(suite, result))).toBe(page);
    });
  });
}

describe('the section of the page', () => {
  it('keeps what others wrote around it', () => {
    const first = withGatewayApi('# Conformance\n\n## Others\n', 'one');
    expect(first).toBe('# Conformance\n\n## Others\n\n<!-- generated: gateway-api -->\none\n<!-- end: gateway-api -->\n');
    expect(withGatewayApi(`${first}\nMore.\n`, 'two')).toBe(`${first.replace('one', 'two')}\nMore.\n`);
  });
});
