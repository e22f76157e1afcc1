import { describe, expect, it } from 'vitest';
import { ANNOTATIONS } from '../../../src/yaml/linkerd/annotation-reader.ts';
import { linkerdReader } from '../../../src/yaml/linkerd/reader.ts';
import { LINKERD_SUPPORT } from '../../../src/yaml/linkerd/support.ts';
import { issuesOfText } from '../istio/load-text.ts';
import { supportGaps } from '../support-gaps.ts';

describe('the support table of Linkerd', () => {
  it.each(linkerdReader.kinds.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, LINKERD_SUPPORT)).toEqual([]);
  });

  it('has every annotation once, and no other', () => {
    const rows = LINKERD_SUPPORT.filter(({ kind }) => kind.startsWith('Service') && !kind.includes('Profile') && !kind.includes('Auth'));
    expect(rows.map(({ field }) => field).sort()).toEqual([...ANNOTATIONS].sort());
  });

  const filters: readonly string[] = ['requestMirror', 'urlRewrite', 'cors', 'extensionRef', 'externalAuth'];
  it.each(filters)('refuses the filter %s', async (field) => {
    expect(LINKERD_SUPPORT).toContainEqual(expect.objectContaining({ field: `spec.rules[].filters[].${field}.**`, level: 'refused' }));
    const type = field === 'cors' ? 'CORS' : field === 'urlRewrite' ? 'URLRewrite' : field.charAt(0).toUpperCase() + field.slice(1);
    const issues = await issuesOfText(`
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: a }
spec: { parentRefs: [{ kind: Service, name: b, port: 80 }], rules: [{ filters: [{ type: ${type} }] }] }
`);
    expect(issues.join('\n')).toContain(`has no filter ${type}`);
  });
});
