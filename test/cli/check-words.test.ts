// What `inmesh check` says of certificates, endpoint files, groups and codes: each text with what brings it about.
import { afterAll, describe, expect, it } from 'vitest';
import { allIssues, analysisFindings } from '../../src/cli/check-issues.ts';
import { groupOf, resourceFindings, serviceFindings } from '../../src/cli/check-groups.ts';
import { type CheckResult, shortText } from '../../src/cli/check-text.ts';
import { checkFiles } from '../../src/cli/check-files.ts';
import { checkIdentity } from '../../src/cli/check-identity.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { resolveConfig } from '../../src/model/resolve.ts';
import { issueCrl } from '../../src/identity/issue-certificate.ts';
import { authority, HOUR_MS } from '../identity/certificates.ts';
import { cliFolder } from './run-cli.ts';

const nowMs = Date.now();
const root = authority('root', { notAfterMs: nowMs + 1_000 * HOUR_MS });
const leaf = root.issue({ notAfterMs: nowMs + 500 * HOUR_MS });
const soon = root.issue({ notAfterMs: nowMs + 48 * HOUR_MS });
const old = root.issue({ notBeforeMs: nowMs - 9 * HOUR_MS, notAfterMs: nowMs - HOUR_MS });
const folder = cliFolder({
  'leaf.crt': leaf.cert,
  'leaf.key': leaf.key,
  'soon.crt': soon.cert,
  'old.crt': old.cert,
  'roots.pem': root.cert,
  'one.yaml': '- 10.0.0.1:80\n',
  'two.yaml': '- 10.0.0.1:80\n- 10.0.0.2:80\n',
  'wrong.yaml': '- nonsense\n',
  'garbage.pem': 'nothing',
});
afterAll(() => folder.remove());
const path = (name: string): string => `${folder.path}/${name}`;

async function ofFiles(input: MeshInput): Promise<string[]> {
  const resolved = resolveConfig(input);
  if ('issues' in resolved) throw new Error(resolved.issues.map(({ message }) => message).join('\n'));
  const findings = await checkFiles(resolved.config, folder.path);
  return findings.map(({ status, message }) => `${status} ${message}`);
}

describe('certificates', () => {
  const tls = { mode: 'mutual', cert: path('leaf.crt'), key: path('leaf.key'), ca: path('roots.pem') } as const;
  it.each<[string, Partial<Record<'cert' | 'key' | 'ca', string>>, readonly (string | RegExp)[]]>([
    ['all is well', {}, ['ok leaf.crt: valid for 20 days', 'ok roots.pem: valid for 41 days', 'ok leaf.key: fits its certificate']],
    [
      'given as text',
      { cert: leaf.cert, key: leaf.key, ca: root.cert },
      ['ok certificate in the configuration: valid for 20 days', /^ok roots in the/, 'ok key in the configuration: fits its certificate'],
    ],
    [
      'near its end',
      { cert: path('soon.crt') },
      [/^warning soon\.crt: expires on /, /^ok roots/, 'error leaf.key: does not belong to the certificate'],
    ],
    ['over', { cert: path('old.crt') }, [/^error old\.crt: expired on /, /^ok/, /^error leaf\.key/]],
    [
      'not there',
      { cert: path('gone.crt'), key: path('gone.key') },
      ['error gone.crt: cannot be read', /^ok/, 'error gone.key: cannot be read'],
    ],
    [
      'none',
      { cert: path('garbage.pem'), key: path('garbage.pem') },
      ['error garbage.pem: is not a PEM certificate', /^ok/, 'error garbage.pem: is not a private key that can be used'],
    ],
    ['none, and a key by itself', { cert: path('garbage.pem') }, [/^error garbage/, /^ok/, 'ok leaf.key: fits its certificate']],
  ])('%s', async (_name, own, expected) => {
    const found = await ofFiles({
      services: { a: { endpoints: ['a:1'], tls: { ...tls, ...own } }, b: { endpoints: ['b:1'], tls: { ...tls, ...own } } },
    });
    expect(found).toEqual(expected.map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))));
  });

  it('roots alone', async () => {
    expect(await ofFiles({ services: { a: { endpoints: ['a:1'], tls: { mode: 'simple', ca: path('roots.pem') } } } })).toEqual([
      'ok roots.pem: valid for 41 days',
    ]);
  });
});

describe('endpoint files', () => {
  it.each([
    ['one.yaml', /^ok one\.yaml: 1 endpoint of service "a"$/],
    ['two.yaml', /^ok two\.yaml: 2 endpoints of service "a"$/],
    ['gone.yaml', /^error gone\.yaml of service "a" cannot be read$/],
    ['wrong.yaml', /^error .*"nonsense"/],
  ])('%s', async (name, text) => {
    expect(await ofFiles({ services: { a: { endpointsFile: path(name) } } })).toEqual([expect.stringMatching(text)]);
  });
});

describe('an identity', () => {
  const files = { cert: path('leaf.crt'), key: path('leaf.key'), ca: path('roots.pem') };
  const found = (more: object, atMs = nowMs): string[] =>
    checkIdentity({ ...files, ...more }, folder.path, atMs).map(({ status, message }) => `${status} ${message}`);

  it('without a SPIFFE ID, trusted by roots of no domain', () => {
    const crl = issueCrl({ issuer: root.issuer, revoked: [], thisUpdateMs: 0, nextUpdateMs: nowMs + 900 * HOUR_MS });
    expect(found({ crl })).toEqual(['ok identity: a certificate without a SPIFFE ID, for 20 days, 1 lists of revoked certificates']);
  });

  it('with several lists of revoked certificates', () => {
    const list = (hours: number): string =>
      issueCrl({ issuer: root.issuer, revoked: [], thisUpdateMs: 0, nextUpdateMs: nowMs + hours * HOUR_MS });
    expect(found({ crl: `${list(900)}${list(2)}` }).slice(1)).toEqual([
      expect.stringMatching(/^warning list 2 of revoked certificates must be replaced by /),
    ]);
  });

  it('whose root is near its end', () => {
    const bundles = { there: authority('late', { notBeforeMs: nowMs - 90 * HOUR_MS, notAfterMs: nowMs + 9 * HOUR_MS }).cert };
    expect(found({ bundles }).slice(1)).toEqual([expect.stringMatching(/^warning the root CN=late of there ends on /)]);
  });
});

describe('groups', () => {
  it.each([
    ['networking.istio.io', 'istio'],
    ['gateway.networking.k8s.io', 'gateway-api'],
    ['gateway.networking.x-k8s.io', 'gateway-api'],
    ['split.smi-spec.io', 'smi'],
    ['policy.linkerd.io', 'linkerd'],
    ['appmesh.k8s.aws', 'app-mesh'],
    ['discovery.k8s.io', 'kubernetes'],
    ['notistio.io', 'kubernetes'],
    ['', 'kubernetes'],
  ])('%j: %s', (group, expected) => expect(groupOf({ group })).toBe(expected));

  it('counts kinds in the plural of English', () => {
    const of = (group: string, kind: string, count: number): never[] => Array.from({ length: count }, () => ({ group, kind }) as never);
    const resources = [
      ...of('networking.istio.io', 'ServiceEntry', 2),
      ...of('', 'Endpoints', 2),
      ...of('apps', 'Ingress', 2),
      ...of('apps', 'Deployment', 1),
    ];
    expect(resourceFindings(resources).map(({ group, message }) => `${group} ${message}`)).toEqual([
      'istio read: 2 ServiceEntries',
      'kubernetes passed over: 2 Endpointses, 2 Ingresses, 1 Deployment',
    ]);
  });

  it.each<[NonNullable<MeshInput['services']>[string], string]>([
    [{ dns: { host: 'x', record: 'SRV' } }, 'a: dns x, 1 route'],
    [{ endpoints: [] }, 'a: no endpoints, for mesh.call only, 1 route'],
    [{ endpoints: ['a:1'], tls: 'simple' }, 'a: 1 endpoint, 1 route, tls simple'],
  ])('a service %j', (service, text) => {
    const resolved = resolveConfig({ services: { a: service } });
    if ('issues' in resolved) throw new Error('it is right');
    expect(serviceFindings(Object.values(resolved.config.services), '/').map(({ message }) => message)).toEqual([text]);
  });
});

describe('findings', () => {
  it('of analyzers without a place are said all the same', () => {
    const finding = { code: 'INM0201', severity: 'error', message: 'm', fix: 'f' } as never;
    expect(analysisFindings([finding], false)).toEqual([{ group: 'routing', status: 'error', code: 'INM0201', message: 'm', fix: 'f' }]);
    expect(analysisFindings([finding], true)[0]?.status).toBe('warning');
  });

  it('that were said already are not said again', () => {
    const issue = { severity: 'warning', path: [], message: 'm' } as const;
    expect(allIssues([issue], [])).toEqual([issue]);
  });

  it('have a short form with what there is', () => {
    const finding = (more: object): object => ({ group: 'routing', status: 'error', message: 'm', ...more });
    const findings = [
      finding({}),
      finding({ code: 'INM0201' }),
      finding({ position: { file: 'a', line: 1, column: 2 } }),
      finding({ status: 'ok' }),
    ];
    expect(shortText({ findings } as unknown as CheckResult)).toBe('error: m\nerror INM0201: m\na:1:2: error: m\n');
  });
});

describe('inmesh check --explain', () => {
  it.each([
    ['inm0201', 0, 'INM0201: '],
    ['ist0101', 0, 'From: '],
    ['INM0210', 2, 'there is no code "INM0210"; did you mean INM0010? --explain list names all'],
    ['whatever', 2, 'there is no code "whatever"; --explain list names all'],
  ])('%s', async (word, code, text) => {
    const result = await folder.run(['check', '--explain', word]);
    expect([result.code, result.out + result.err]).toEqual([code, expect.stringContaining(text)]);
  });
});
