import { describe, expect, it } from 'vitest';
import { kubernetesReader } from '../../../src/yaml/k8s/reader.ts';
import { KUBERNETES_SUPPORT } from '../../../src/yaml/k8s/support.ts';
import { supportGaps } from '../support-gaps.ts';

describe('the support table', () => {
  it.each(kubernetesReader.kinds.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, KUBERNETES_SUPPORT)).toEqual([]);
  });
});
