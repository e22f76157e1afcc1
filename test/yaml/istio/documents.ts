// Documents as tests write them: the head is made here, the spec is given in YAML's flow style or as lines.

const HEAD = 'apiVersion: networking.istio.io/v1';

export interface DocumentHead {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: string;
  /** When it was made. */
  readonly created?: string;
}

/** `spec`: flow style, or lines that begin at the left. */
export function document(kind: string, spec: string, { name = 'x', namespace, labels, created }: DocumentHead = {}): string {
  const more = [
    ...(namespace === undefined ? [] : [`, namespace: ${namespace}`]),
    ...(labels === undefined ? [] : [`, labels: ${labels}`]),
    ...(created === undefined ? [] : [`, creationTimestamp: '${created}'`]),
  ];
  const head = kind === 'Telemetry' ? 'apiVersion: telemetry.istio.io/v1' : HEAD;
  return `${head}\nkind: ${kind}\nmetadata: { name: ${name}${more.join('')} }\nspec:\n${spec.replace(/^(?=.)/gm, '  ')}\n`;
}

/** A VirtualService for the host `reviews`; `http`: its rules in flow style. */
export function virtualService(http: string, head: DocumentHead = {}): string {
  return document('VirtualService', `hosts: [reviews]\nhttp: ${http}`, { name: 'reviews', ...head });
}

export function documents(...texts: readonly string[]): string {
  return texts.join('\n---\n');
}

/** The concise form: `reviews` with two endpoints, and `ratings`. */
export const SERVICES: string = `services:
  reviews:
    endpoints:
      - { address: '10.0.0.1:80', labels: { version: v1 } }
      - { address: '10.0.0.2:80', labels: { version: v2 } }
  ratings: { endpoints: ['10.0.1.1:80'] }
`;

export const SUBSETS: string = document(
  'DestinationRule',
  'host: reviews\nsubsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } } ]',
  { name: 'reviews' },
);
