import { describe, expect, it } from 'vitest';
import { gatewayApiReader } from '../../../src/yaml/gateway-api/reader.ts';
import { GATEWAY_API_SUPPORT } from '../../../src/yaml/gateway-api/support.ts';
import { supportGaps } from '../support-gaps.ts';

describe('the support table', () => {
  it.each(gatewayApiReader.kinds.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, GATEWAY_API_SUPPORT)).toEqual([]);
  });
});
