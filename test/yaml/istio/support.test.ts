import { describe, expect, it } from 'vitest';
import { istioReader } from '../../../src/yaml/istio/reader.ts';
import { ISTIO_SUPPORT } from '../../../src/yaml/istio/support.ts';
import { supportGaps } from '../support-gaps.ts';

describe('the support table', () => {
  it.each(istioReader.kinds.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, ISTIO_SUPPORT)).toEqual([]);
  });
});
