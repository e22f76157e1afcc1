// The text of mesh.yaml: the whole configuration of the inmesh lane. Every process of the lane reads this one file and
// watches it.

export interface Place {
  readonly name: string;
  readonly address: string;
  readonly version: string;
}

/** Shares of the users without a mobile phone, by version. */
export type Weights = Readonly<Record<string, number>>;

export function meshFile(places: Readonly<Record<string, readonly Place[]>>, weights: Weights): string {
  const lines = ["self: { service: '${SERVICE}' }", Object.keys(places).length === 0 ? 'services: {}' : 'services:'];
  for (const [service, members] of Object.entries(places)) {
    lines.push(`  ${service}:`, '    endpoints:');
    for (const { address, version, name } of members) {
      const labels = version === '' ? '' : `, labels: { version: ${version} }`;
      lines.push(`      - { address: '${address}'${labels} } # ${name}`);
    }
    if (service === 'reviews') lines.push(...routing(weights));
  }
  return `${lines.join('\n')}\n`;
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
