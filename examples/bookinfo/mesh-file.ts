// The text of mesh.yaml: the whole configuration of the inmesh lane. Every process of the lane reads this one file and
// watches it. Addresses and routes first, then who may call whom, in the documents that Istio has for it.
import { spiffeIdOf } from './certificates.ts';

export interface Place {
  readonly name: string;
  readonly address: string;
  readonly version: string;
}

/** Shares of the users without a mobile phone, by version. */
export type Weights = Readonly<Record<string, number>>;

/** Who may call each service. */
export const CALLERS: Readonly<Record<string, string>> = { details: 'productpage', reviews: 'productpage', ratings: 'reviews' };

export function meshFile(places: Readonly<Record<string, readonly Place[]>>, weights: Weights): string {
  const lines = [
    "self: { service: '${SERVICE}', serviceAccount: '${SERVICE}', labels: { app: '${SERVICE}' } }",
    "identity: { directory: 'certificates/${SERVICE}' }",
    Object.keys(places).length === 0 ? 'services: {}' : 'services:',
  ];
  for (const [service, members] of Object.entries(places)) {
    lines.push(`  ${service}:`, '    endpoints:');
    for (const { address, version, name } of members) {
      const labels = version === '' ? '' : `, labels: { version: ${version} }`;
      lines.push(`      - { address: '${address}'${labels} } # ${name}`);
    }
    lines.push(`    tls: { mode: mutual, subjectAltNames: ['${spiffeIdOf(service)}'] }`);
    if (service === 'reviews') lines.push(...routing(weights));
  }
  return `${[...lines, ...Object.keys(CALLERS).flatMap(access), ...MODES].join('\n')}\n`;
}

/** What stands under `reviews` beside the addresses. */
export function routing(weights: Weights): string[] {
  const shares = Object.entries(weights).map(([version, weight]) => `${version}: ${weight}`);
  return [
    '    retries: { perTryTimeout: 500ms }',
    '    subsets: { v1: { version: v1 }, v2: { version: v2 }, v3: { version: v3 } }',
    '    routes:',
    "      - { match: { headers: { user-agent: { regex: '.*mobile.*' } } }, to: v2 }",
    `      - { to: { ${shares.join(', ')} } }`,
  ];
}

/** Who may call a service, as an AuthorizationPolicy of Istio. */
export function access(service: string): string[] {
  const caller = CALLERS[service] ?? '';
  return [
    '---',
    'apiVersion: security.istio.io/v1',
    'kind: AuthorizationPolicy',
    `metadata: { name: ${service}-for-${caller}, namespace: default }`,
    'spec:',
    `  selector: { matchLabels: { app: ${service} } }`,
    `  rules: [{ from: [{ source: { principals: [${spiffeIdOf(caller).slice('spiffe://'.length)}] } }] }]`,
  ];
}

/** Certificates on both sides everywhere, but for the page: users have none. */
const MODES = [
  '---',
  'apiVersion: security.istio.io/v1',
  'kind: PeerAuthentication',
  'metadata: { name: default, namespace: istio-system }',
  'spec: { mtls: { mode: STRICT } }',
  '---',
  'apiVersion: security.istio.io/v1',
  'kind: PeerAuthentication',
  'metadata: { name: users, namespace: default }',
  'spec: { selector: { matchLabels: { app: productpage } }, mtls: { mode: PERMISSIVE } }',
];
