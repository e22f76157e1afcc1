import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { ROOT } from '../../house/tree.ts';
import { loadText } from '../istio/load-text.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const FOLDERS = ['base', 'tests', 'tests/mesh', 'mesh'].map((name) => join(ROOT, '../shared/conformance/gateway-api', name));
const READ = /^(?:HTTPRoute|GRPCRoute|BackendTLSPolicy|Service|EndpointSlice|ConfigMap|ReferenceGrant)$/;
const POLICY = {
  apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
  kind: 'XBackendTrafficPolicy',
  metadata: { name: 'budget' },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: 'a' }],
    retryConstraint: { budget: { percent: 20, interval: '10s' }, minRetryRate: { count: 10, interval: '1s' } },
    sessionPersistence: { type: 'Cookie', cookie: { name: 'c', lifetimeType: 'Session' } },
  },
};

type Json = unknown;

function manifests(): Json[] {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(folder, name)),
  );
  const documents = files.flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Json));
  return [POLICY, ...documents.filter((one) => READ.test(String((one as { kind?: string } | null)?.kind)))];
}

const STRANGE: readonly Json[] = [
  null,
  '',
  0,
  -1,
  1e9,
  true,
  [],
  {},
  'x',
  '*',
  '0s',
  '1h',
  [null],
  [{}],
  { name: 'x' },
  '__proto__',
  ['a', 1],
  65_536,
];

/** Somewhere in the value a piece is dropped, doubled, or becomes something strange. */
function mutated(value: Json, random: () => number): Json {
  const pick = (count: number): number => Math.floor(random() * count);
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.2) return STRANGE[pick(STRANGE.length)];
    const index = pick(value.length);
    if (random() < 0.2) return [...value, value[index]];
    if (random() < 0.2) return value.filter((_, i) => i !== index);
    return value.map((one, i) => (i === index ? mutated(one, random) : one));
  }
  if (typeof value !== 'object' || value === null) return STRANGE[pick(STRANGE.length)];
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.05) return STRANGE[pick(STRANGE.length)];
  const index = pick(entries.length);
  if (random() < 0.15) return Object.fromEntries(entries.filter((_, i) => i !== index));
  if (random() < 0.1) return { ...value, [`${entries[index]?.[0]}x`]: 1 };
  return Object.fromEntries(entries.map(([key, one], i) => [key, i === index ? mutated(one, random) : one]));
}

if (!existsSync(FOLDERS[0] as string)) {
  it.skip("needs the Gateway API's manifests in ../shared/conformance/gateway-api, which are not part of this repository", () => {});
} else {
  it('whatever a manifest says, it is read, or its faults have places', async () => {
    const all = manifests();
    const start = { self: { namespace: 'gateway-conformance-infra' } };
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), async (seed, lenient) => {
        const random = seededRandom(seed);
        const chosen = Array.from({ length: 4 }, () => all[Math.floor(random() * all.length)]);
        let documents = chosen;
        for (let i = 0; i < 1 + Math.floor(random() * 4); i++)
          documents = documents.map((one) => (random() < 0.6 ? mutated(one, random) : one));
        const { config, issues } = await loadText([start, ...documents].map((one) => stringify(one)).join('---\n'), { lenient });
        for (const { position, message } of issues) {
          expect(message).not.toMatch(/undefined|\[object|NaN/);
          expect(position?.line).toBeGreaterThan(0);
        }
        expect(config === null).toBe(issues.some(({ severity }) => severity === 'error'));
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 60_000);
}
