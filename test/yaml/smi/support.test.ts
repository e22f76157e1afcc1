import { describe, expect, it } from 'vitest';
import { smiReader } from '../../../src/yaml/smi/reader.ts';
import { SMI_SUPPORT } from '../../../src/yaml/smi/support.ts';
import { supportGaps } from '../support-gaps.ts';

describe('the support table of SMI', () => {
  it.each(smiReader.kinds.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, SMI_SUPPORT)).toEqual([]);
  });

  it('has no other kinds', () => {
    expect([...new Set(SMI_SUPPORT.map(({ kind }) => kind))].sort()).toEqual(smiReader.kinds.map(({ kind }) => kind).sort());
  });

  it('misses a field that is taken away', () => {
    const rows = SMI_SUPPORT.filter(({ field }) => field !== 'spec.backends[].weight');
    const { schema } = smiReader.kinds.find(({ kind }) => kind === 'TrafficSplit') ?? smiReader.kinds[0] ?? { schema: () => ({}) as never };
    expect(supportGaps('TrafficSplit', schema, rows)).toEqual(['no row: spec.backends[].weight']);
    const stale = { kind: 'TrafficSplit', field: 'spec.weight', level: 'supported' } as const;
    expect(supportGaps('TrafficSplit', schema, [...SMI_SUPPORT, stale])).toEqual(['no field: spec.weight']);
  });
});
