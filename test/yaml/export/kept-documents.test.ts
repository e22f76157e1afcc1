// Documents that are of the mesh already go out as they came in: comments, order, notation, and what nobody here knows. What has
// to be changed in them is all that is changed.
import { describe, expect, it } from 'vitest';
import { exportConfig, type Exported, type ExportTarget } from '../../../src/yaml/export.ts';
import { loadConfig } from '../../../src/yaml/load.ts';
import { authority } from '../../identity/certificates.ts';
import { regex } from './written.ts';

const SERVICES = "services:\n  reviews:\n    endpoints: ['10.0.0.1:80']\n";
const RULE = `# Subsets of the team.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews # as ever
  labels: {owner: "yes"}
spec:
  host: reviews
  trafficPolicy:
    # Ours.
    connectionPool: { tcp: { maxConnections: 7 } }
  subsets:
    - {name: v1,   labels: {version: v1}}
`;

async function exported(text: string, target: ExportTarget, env: Readonly<Record<string, string>> = {}): Promise<Exported> {
  const checkRegex = (pattern: string): string | null => regex.check(pattern);
  const result = await loadConfig('mesh.yaml', { env, cwd: '/', lenient: true, checkRegex, readFile: () => Promise.resolve(text) });
  if ('issues' in result) throw new Error(result.issues.map(({ message }) => message).join('\n'));
  return exportConfig(result, target);
}

const textOf = ({ documents }: Exported, kind: string): string | undefined => documents.find((one) => one.kind === kind)?.text;

describe('a document of the mesh', () => {
  it('goes out to the letter, each of several in a file', async () => {
    const second = RULE.replaceAll('reviews', 'ratings').replace('# Subsets', '# More subsets');
    const result = await exported(`${RULE}---\n${second}...\n`, 'istio');
    expect(result.documents.map(({ text, origin }) => [text, origin])).toEqual([
      [RULE, 'kept'],
      [second, 'kept'],
    ]);
  });

  it('keeps a field that nobody here knows, when that is only a warning', async () => {
    const text = RULE.replace('  host: reviews\n', '  host: reviews\n  novelty: { on: true } # new in 1.99\n');
    expect(textOf(await exported(text, 'istio'), 'DestinationRule')).toBe(text);
  });

  it('has values in the place of variables, and stays as it is around them', async () => {
    const text = RULE.replace('maxConnections: 7', "maxConnections: '${MOST:-9}'").replace('owner: "yes"', 'owner: "${OWNER}"');
    const result = await exported(text.replace("'${MOST:-9}'", '7'), 'istio', { OWNER: 'off' });
    expect(textOf(result, 'DestinationRule')).toBe(RULE.replace('"yes"', '"off"'));
    expect(result.documents[0]?.origin).toBe('changed');
  });

  it('takes what only the concise form says, in its own place', async () => {
    const result = await exported(`${SERVICES}    outlierDetection: { mode: envoy, consecutive5xxErrors: 3 }\n---\n${RULE}`, 'istio');
    const text = textOf(result, 'DestinationRule') ?? '';
    expect(text).toContain('    connectionPool: { tcp: { maxConnections: 7 } }\n');
    expect(text).toMatch(/\n {4}outlierDetection:\n {6}consecutive5xxErrors: 3\n/);
    const without = text.replace(/\n {4}(?:outlierDetection|loadBalancer|retryBudget|tls):(?:\n {6,}.*)*/g, '');
    expect(without).toBe(RULE);
  });

  it('of another mesh is left behind, and said to be', async () => {
    const policy =
      'apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: strict }\nspec: { mtls: { mode: STRICT } }\n';
    const { documents, losses } = await exported(policy, 'gateway-api');
    expect(documents).toEqual([]);
    expect(losses.find(({ verdict }) => verdict === 'lost')).toMatchObject({
      field: 'PeerAuthentication default/strict',
      position: { line: 1 },
    });
  });

  it('goes out with the certificates that it names, and without what else a ConfigMap holds', async () => {
    const { cert } = authority();
    const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: NAME }\ndata:\n';
    const roots = `${head.replace('NAME', 'roots')}  ca.crt: |\n${cert.trimEnd().replace(/^/gm, '    ')}\n`;
    const policy = `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: tls }
spec:
  targetRefs: [{ group: '', kind: Service, name: reviews }]
  validation: { hostname: reviews.internal, caCertificateRefs: [{ group: '', kind: ConfigMap, name: roots }] }
`;
    const text = [SERVICES, policy, roots, `${head.replace('NAME', 'scripts')}  run.sh: exit\n`].join('---\n');
    const { documents, losses } = await exported(text, 'gateway-api');
    expect(documents.filter(({ origin }) => origin === 'kept').map((one) => one.text)).toEqual([policy, roots]);
    expect(losses.filter(({ verdict, field }) => verdict !== 'kept' && field.includes('tls'))).toEqual([]);
    expect((await exported(text, 'istio')).documents.some(({ kind }) => kind === 'ConfigMap')).toBe(false);
  });

  it('gets the annotations of Linkerd, and nothing else', async () => {
    const service =
      '# The port of the team.\napiVersion: v1\nkind: Service\nmetadata:\n  name: reviews\nspec:\n  ports: [{port: 80}] # one\n';
    const concise = 'services:\n  reviews: { endpoints: ["10.0.0.1:80"], outlierDetection: { mode: linkerd, maxFailures: 4 } }\n';
    const text = textOf(await exported(`${concise}---\n${service}`, 'linkerd'), 'Service') ?? '';
    expect(text.replace(/\n {2}annotations:(?:\n {4,}.*)*/, '')).toBe(service);
    expect(text).toContain('balancer.linkerd.io/failure-accrual-consecutive-max-failures: "4"\n');
  });
});
