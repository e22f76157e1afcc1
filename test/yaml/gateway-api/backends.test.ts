import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { smoothDraw } from '../../../src/route/smooth-draw.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { loadTexts, passage } from '../export/documents.ts';
import { goodText, loadText } from '../istio/load-text.ts';
import { GATEWAY, grpcRoute, httpRoute, service, text } from './route-documents.ts';

const REF = fc.record({ weight: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }), isValid: fc.boolean() });

async function targetsOf(
  refs: readonly { readonly weight?: number | undefined; readonly isValid: boolean }[],
  kind: 'http' | 'grpc' = 'http',
) {
  const backendRefs = refs.map(({ weight, isValid }) => ({
    name: isValid ? 'a' : 'gone',
    port: 80,
    ...(weight === undefined ? {} : { weight }),
  }));
  const make = kind === 'http' ? httpRoute : grpcRoute;
  const { services } = await goodText(
    text(service('a'), make({ parentRefs: GATEWAY, hostnames: ['shop.example'], rules: [{ backendRefs }] })),
  );
  return services['shop.example']?.routes[0]?.targets ?? [];
}

describe('backendRefs', () => {
  it('law: each has its share, and what leads nowhere has its share of errors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(REF, { maxLength: 6 }), async (refs) => {
        const targets = await targetsOf(refs);
        const weights = refs.map(({ weight = 1 }) => weight);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        if (total === 0) {
          expect(targets).toMatchObject([{ weight: 1, fails: { status: 500 } }]);
          return;
        }
        expect(targets.map(({ weight }) => weight)).toEqual(weights);
        expect(targets.map(({ fails }) => fails?.status ?? 200)).toEqual(refs.map(({ isValid }) => (isValid ? 200 : 500)));
        const drawable = targets.filter(({ weight }) => weight > 0);
        const draw = smoothDraw(
          drawable.map(({ weight }) => weight),
          seededRandom(1),
        );
        const drawn = drawable.map(() => 0);
        for (let i = 0; i < total * 10; i++) {
          const index = draw();
          drawn[index] = (drawn[index] ?? 0) + 1;
        }
        for (const [i, { weight }] of drawable.entries())
          expect(Math.abs((drawn[i] ?? 0) - weight * 10)).toBeLessThanOrEqual(drawable.length);
      }),
      { numRuns: 1000, seed: 1 },
    );
  }, 30_000);

  it('fail as UNAVAILABLE for gRPC', async () => {
    expect(await targetsOf([{ isValid: false }], 'grpc')).toMatchObject([{ fails: { status: 503 } }]);
    expect(await targetsOf([], 'grpc')).toMatchObject([{ fails: { status: 503 } }]);
  });
});

describe('copies of the calls of one backend', () => {
  const mirrorOf = (name: string, more: object = {}) => ({
    type: 'RequestMirror' as const,
    requestMirror: { backendRef: { name, port: 80 }, ...more },
  });
  const load = (backendRefs: readonly object[]) =>
    loadText(
      text(
        service('a'),
        service('b'),
        service('copy'),
        httpRoute({ parentRefs: GATEWAY, hostnames: ['shop.example'], rules: [{ backendRefs }] } as never),
      ),
    );
  const mirrorsOf = async (backendRefs: readonly object[]) => {
    const { config, issues } = await load(backendRefs);
    return { mirrors: config?.services['shop.example']?.routes[0]?.mirrors, warnings: issues.length };
  };

  it('are drawn for that backend alone', async () => {
    const { mirrors, warnings } = await mirrorsOf([
      { name: 'a', port: 80, weight: 3, filters: [mirrorOf('copy', { percent: 50 })] },
      { name: 'b', port: 80 },
    ]);
    expect(mirrors).toMatchObject([{ percent: 50, of: { service: 'a' }, target: { service: 'copy' } }]);
    expect(warnings).toBe(0);
  });

  it('are those of the rule where the backend has all calls', async () => {
    const { mirrors } = await mirrorsOf([{ name: 'a', port: 80, filters: [mirrorOf('copy')] }]);
    expect(mirrors?.map(({ of, percent }) => [of, percent])).toEqual([[undefined, 100]]);
  });

  it('a backend that is named twice is told apart by shares, with a warning', async () => {
    const { mirrors, warnings } = await mirrorsOf([
      { name: 'a', port: 80, filters: [mirrorOf('copy')] },
      { name: 'a', port: 80 },
    ]);
    expect([mirrors?.map(({ of, percent }) => [of, percent]), warnings]).toEqual([[[undefined, 50]], 1]);
  });

  it('come back from what is written of them', async () => {
    const source = text(
      service('a'),
      service('b'),
      service('copy'),
      httpRoute({
        parentRefs: [{ group: '', kind: 'Service', name: 'a' }],
        rules: [
          {
            backendRefs: [
              { name: 'a', port: 80, weight: 3, filters: [mirrorOf('copy', { percent: 50 })] },
              { name: 'b', port: 80 },
            ],
          },
        ],
      } as never),
    );
    const loaded = (await loadTexts([source])) as NonNullable<Awaited<ReturnType<typeof loadTexts>>>;
    for (const target of ['gateway-api', 'concise'] as const) {
      const { differences, faults, text: written } = await passage(loaded, target, { text: source } as never);
      expect([target, differences, faults]).toEqual([target, [], []]);
      expect(written).toMatch(target === 'concise' ? /of: a\b/ : /RequestMirror/);
    }
    const istio = await passage(loaded, 'istio', { text: source } as never);
    expect(istio.text).toMatch(/percentage:\s+value: 37.5/);
    expect(istio.losses.filter(({ field }) => field.includes('mirror')).map(({ verdict }) => verdict)).toEqual(['approximated']);
  });
});
