import { describe, expect, it } from 'vitest';
import { istioSecurityReader } from '../../../src/yaml/istio/security/reader.ts';
import { ISTIO_SECURITY_SUPPORT } from '../../../src/yaml/istio/security/support.ts';
import { supportGaps } from '../support-gaps.ts';

describe("the support table of Istio's security documents", () => {
  it.each(istioSecurityReader.kinds.map(({ kind, schema }) => ({ kind, schema })))(
    '$kind: every field, and no other',
    ({ kind, schema }) => {
      expect(supportGaps(kind, schema, ISTIO_SECURITY_SUPPORT)).toEqual([]);
    },
  );
});
