// On a permissive port a plain caller is nobody: no field that needs mTLS ever matches it, whatever its headers say, and what
// is negated takes it. Source: ISTIO-SECURITY-2021-004.
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthorizationPolicy, SourceMatch, ValueMatch } from '../../src/model/security.ts';
import { CALLER, overHttp1, overHttp2, secure } from '../inbound/secure-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const any = (...values: string[]): ValueMatch => ({ values, notValues: [] });
const none = (...notValues: string[]): ValueMatch => ({ values: [], notValues });

const FIELDS: readonly (readonly [keyof SourceMatch, readonly string[]])[] = [
  ['principals', ['*', 'cluster.local/*', '*/sa/productpage', 'cluster.local/ns/default/sa/productpage']],
  ['namespaces', ['*', 'default', 'def*', '*ault']],
  ['serviceAccounts', ['default/productpage']],
  ['trustDomains', ['*', 'cluster.local']],
];

const CLAIMS = {
  'x-forwarded-client-cert': `By=x;URI=${CALLER.spiffeId}`,
  'x-mesh-peer': CALLER.spiffeId,
  'x-envoy-peer-metadata-id': 'sidecar',
  'x-forwarded-for': '127.0.0.1',
};

async function statusesUnder(action: 'allow' | 'deny', from: SourceMatch): Promise<{ readonly plain: number[]; readonly mtls: number }> {
  const source = { file: 'a.yaml', line: 1, column: 1 };
  const policy: AuthorizationPolicy = {
    kind: 'authorization',
    dialect: 'istio',
    name: 'p',
    namespace: 'default',
    createdAtMs: 0,
    source,
    scope: { namespace: '', labels: {}, expressions: [] },
    action,
    dryRun: false,
    rules: [{ from: [from], to: [], when: [], source }],
  };
  const { port, close } = await secure((_request, response) => void response.end(), { config: { policies: [policy] } });
  closers.push(close);
  const plain = [await overHttp1({ port, headers: CLAIMS }), await overHttp2({ port, headers: CLAIMS })];
  return { plain: plain.map(({ status }) => status), mtls: (await overHttp1({ port, as: CALLER })).status };
}

const EACH = FIELDS.flatMap(([field, values]) => values.map((value) => [field, value] as const));

describe('a field that needs mTLS', () => {
  it.each(EACH)('%s: %s lets the caller in by its certificate, and no plain one', async (field, value) => {
    expect(await statusesUnder('allow', { [field]: any(value) })).toEqual({ plain: [403, 403], mtls: 200 });
  });

  it.each(EACH)('%s: %s denies the caller by its certificate, and no plain one', async (field, value) => {
    expect(await statusesUnder('deny', { [field]: any(value) })).toEqual({ plain: [200, 200], mtls: 403 });
  });

  it.each(EACH)('not %s: %s denies every plain caller', async (field, value) => {
    expect(await statusesUnder('deny', { [field]: none(value) })).toEqual({ plain: [403, 403], mtls: 200 });
  });
});
