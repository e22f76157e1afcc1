// Where the lines of our own findings are drawn. That each is found at all is shown by the examples of the codes.
import { describe, expect, it } from 'vitest';
import { checked } from './codes-of.ts';

const REVIEWS = 'services:\n  reviews: { endpoints: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80] }\n';

function virtualService(rule: string, host = 'reviews'): string {
  return `---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: ${host} }\nspec:\n  hosts: [${host}]\n  http:\n    - ${rule.replaceAll('\n', '\n      ')}\n`;
}

function destinationRule(policy: string, host = 'reviews'): string {
  return `---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: ${host} }\nspec: { host: ${host}, trafficPolicy: { ${policy} } }\n`;
}

const TO = 'route: [{ destination: { host: reviews } }]';

type Row = readonly [what: string, code: string, text: string, expected: boolean];

const ROWS: readonly Row[] = [
  ['a retry of 5xx', 'INM0101', REVIEWS + virtualService(`${TO}\nretries: { attempts: 1, retryOn: 5xx }`), true],
  ['a retry of a status', 'INM0101', REVIEWS + virtualService(`${TO}\nretries: { attempts: 1, retryOn: '503' }`), true],
  [
    'a retry of what was not processed',
    'INM0101',
    REVIEWS + virtualService(`${TO}\nretries: { attempts: 1, retryOn: 'connect-failure' }`),
    false,
  ],
  ['no retries', 'INM0101', REVIEWS + virtualService(`${TO}\nretries: { attempts: 0 }`), false],
  ["Istio's default, HTTP/1.1", 'INM0101', REVIEWS + virtualService(TO), false],
  [
    "Istio's default, HTTP/2",
    'INM0101',
    `services:\n  reviews: { endpoints: [10.0.0.1:80], protocol: http2 }\n${virtualService(TO)}`,
    true,
  ],
  [
    'a rule for GET',
    'INM0101',
    REVIEWS + virtualService(`match: [{ method: { exact: GET } }]\n${TO}\nretries: { attempts: 1, retryOn: 5xx }`),
    false,
  ],
  [
    'a rule for POST',
    'INM0101',
    REVIEWS + virtualService(`match: [{ method: { exact: POST } }]\n${TO}\nretries: { attempts: 1, retryOn: 5xx }`),
    true,
  ],
  ['our own default', 'INM0101', REVIEWS, false],
  ['a concise rule that repeats POST', 'INM0101', `${REVIEWS.replace(' }', ', retries: { methods: [GET, POST] } }')}`, true],
  [
    'calls that somebody has declared idempotent',
    'INM0101',
    `services:\n  reviews:\n    endpoints: [10.0.0.1:80]\n    routes: [{ idempotent: true, retries: { attempts: 1 } }]\n`,
    false,
  ],
  ["Istio's retries without a budget", 'INM0102', REVIEWS + virtualService(TO), true],
  ['no retries, no budget', 'INM0102', REVIEWS + virtualService(`${TO}\nretries: { attempts: 0 }`), false],
  ['a budget from the concise form', 'INM0102', REVIEWS.replace(' }', ', retryBudget: { mode: envoy } }') + virtualService(TO), false],
  ['one service without a budget', 'INM0103', REVIEWS + virtualService(TO), false],
  [
    'attempts below the timeout',
    'INM0104',
    REVIEWS + virtualService(`${TO}\ntimeout: 2s\nretries: { attempts: 1, perTryTimeout: 1s }`),
    false,
  ],
  [
    'attempts as long as the timeout',
    'INM0104',
    REVIEWS + virtualService(`${TO}\ntimeout: 2s\nretries: { attempts: 1, perTryTimeout: 2s }`),
    true,
  ],
  ['attempts with no timeout to compare', 'INM0104', REVIEWS + virtualService(`${TO}\nretries: { attempts: 1, perTryTimeout: 2s }`), false],
  ['33 % of three', 'INM0105', REVIEWS + destinationRule('outlierDetection: { maxEjectionPercent: 33 }'), true],
  ['34 % of three', 'INM0105', REVIEWS + destinationRule('outlierDetection: { maxEjectionPercent: 34 }'), false],
  [
    '10 % of nobody knows',
    'INM0105',
    `services: { reviews: { dns: 'reviews:80' } }\n${destinationRule('outlierDetection: { interval: 5s }')}`,
    true,
  ],
  [
    '50 % of nobody knows',
    'INM0105',
    `services: { reviews: { dns: 'reviews:80' } }\n${destinationRule('outlierDetection: { maxEjectionPercent: 50 }')}`,
    false,
  ],
  ["Istio's silence", 'INM0106', REVIEWS + virtualService(TO), true],
  ['a rule that answers itself', 'INM0106', REVIEWS + virtualService('directResponse: { status: 200 }'), false],
  ['our own default', 'INM0106', REVIEWS, false],
  [
    'hedges for GET and HEAD',
    'INM0107',
    `services:\n  reviews:\n    endpoints: [10.0.0.1:80]\n    routes: [{ match: [{ method: GET }, { method: HEAD }], idempotent: { extraLoad: 0.1 } }]\n`,
    false,
  ],
  [
    'hedges for GET and PUT',
    'INM0107',
    `services:\n  reviews:\n    endpoints: [10.0.0.1:80]\n    routes: [{ match: [{ method: GET }, { method: PUT }], idempotent: { extraLoad: 0.1 } }]\n`,
    true,
  ],
  ['a lone weight of 0', 'INM0201', REVIEWS + virtualService('route: [{ destination: { host: reviews }, weight: 0 }]'), true],
  ['a lone weight of 1', 'INM0201', REVIEWS + virtualService('route: [{ destination: { host: reviews }, weight: 1 }]'), false],
  ['plain text without an identity', 'INM0301', REVIEWS, false],
  [
    'plain text to this machine',
    'INM0301',
    "identity: { cert: a, key: b, ca: c }\nservices: { reviews: { endpoints: ['127.0.0.1:80', 'localhost:81', '[::1]:82'] } }\n",
    false,
  ],
  ['mutual TLS with certificates of its own', 'INM0302', REVIEWS.replace(' }', ', tls: { cert: a, key: b, ca: c } }'), false],
  ['plain text without an identity', 'INM0302', REVIEWS, false],
  ['TLS with the roots of the web', 'INM0303', REVIEWS.replace(' }', ', tls: simple }'), false],
  ['TLS with the roots of the web', 'INM0304', REVIEWS.replace(' }', ', tls: simple }'), false],
];

describe('our own findings', () => {
  it.each(ROWS)('%s: %s', async (_what, code, text, expected) => {
    const { codes, messages, loaded } = await checked(text);
    expect({ found: codes.includes(code), messages: loaded === null ? messages : [] }).toEqual({ found: expected, messages: [] });
  });

  it('name the line that decides', async () => {
    const text = `services:
  reviews:
    dns: reviews.internal:80
${virtualService(`${TO}\nretries: { attempts: 2, retryOn: 5xx }`)}${destinationRule('outlierDetection: { interval: 5s }')}`;
    const { findings } = await checked(text);
    const lines = Object.fromEntries(findings.map(({ code, position }) => [code, position?.line]));
    const lineOf = (part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;
    expect(lines).toMatchObject({ INM0101: lineOf('retries:'), INM0105: lineOf('outlierDetection'), INM0106: lineOf('- route:') });
  });

  it('multiply the attempts of the three services that are retried most', async () => {
    const services = ['a', 'b', 'c', 'd'].map((name) => `  ${name}: { endpoints: [10.0.0.1:80] }\n`).join('');
    const rules = ['a', 'b', 'c', 'd'].map((name, i) =>
      virtualService(`route: [{ destination: { host: ${name} } }]\nretries: { attempts: ${i + 1} }`, name),
    );
    const { findings } = await checked(`services:\n${services}${rules.join('')}`);
    expect(findings.filter(({ code }) => code === 'INM0103').map(({ message }) => message)).toEqual([
      'one call through a chain of d, c and b is up to 60 attempts at the last (5 × 4 × 3)',
    ]);
  });

  it('are not said again when the reader has said them', async () => {
    const { codes } = await checked(REVIEWS + destinationRule('outlierDetection: { maxEjectionPercent: 10 }'));
    expect(codes.filter((code) => code === 'INM0105')).toHaveLength(1);
  });

  it('say nothing of a plain concise configuration', async () => {
    expect((await checked(REVIEWS)).codes).toEqual([]);
  });
});
