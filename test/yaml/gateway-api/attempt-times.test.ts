// timeouts.backendRequest without a retry stanza: the time of one attempt, while retries are whose they were.
import { describe, expect, it } from 'vitest';
import { routeRetries } from '../../../src/model/route-retries.ts';
import type { Verdict } from '../../../src/yaml/losses.ts';
import { loadTexts, passage } from '../export/documents.ts';
import { goodText } from '../istio/load-text.ts';
import { httpRoute, service, text } from './route-documents.ts';

const PARENT = { parentRefs: [{ group: '', kind: 'Service', name: 'a' }] };
const route = (timeouts: object, more: object = {}): unknown =>
  httpRoute({ ...PARENT, rules: [{ timeouts, ...more, backendRefs: [{ name: 'a', port: 80 }] }] } as never);
const load = async (...documents: readonly unknown[]) => {
  const { services } = await goodText(text(service('a'), ...documents));
  const [own] = services.a?.routes ?? [];
  if (services.a === undefined || own === undefined) throw new Error('no rule');
  return { own, effective: routeRetries(own, services.a) };
};
const concise = (retries: object | false): unknown => ({ services: { a: { endpoints: ['10.0.0.1:80'], retries } } });

describe('backendRequest without retry', () => {
  it('limits the attempts of the retries that the service has', async () => {
    const { own, effective } = await load(concise({ attempts: 7, perTryTimeout: '9s' }), route({ request: '5s', backendRequest: '1s' }));
    expect([own.retries, own.perTryTimeoutMs]).toEqual([undefined, 1_000]);
    expect([effective.attempts, effective.perTryTimeoutMs]).toEqual([7, 1_000]);
  });

  it('limits the only attempt of a service without retries', async () => {
    const { effective } = await load(concise(false), route({ backendRequest: '1s' }));
    expect([effective.attempts, effective.perTryTimeoutMs]).toEqual([0, 1_000]);
  });

  it('0s is no limit', async () => {
    const { effective } = await load(concise({ perTryTimeout: '9s' }), route({ backendRequest: '0s' }));
    expect(effective.perTryTimeoutMs).toBe(0);
  });

  it('is of the stanza where there is one', async () => {
    const { own } = await load(route({ backendRequest: '1s' }, { retry: { attempts: 2 } }));
    expect([own.perTryTimeoutMs, own.retries?.perTryTimeoutMs, own.retries?.attempts]).toEqual([undefined, 1_000, 2]);
  });

  it('has a place of its own', async () => {
    const { own } = await load(route({ backendRequest: '1s' }));
    expect([own.sources?.retries, own.sources?.perTryTimeoutMs?.line]).toEqual([undefined, 3]);
  });
});

describe('on the way out', () => {
  const verdictOf = (losses: readonly { readonly field: string; readonly also?: readonly string[]; readonly verdict: Verdict }[]) =>
    losses.filter(({ field, also = [] }) => [field, ...also].some((one) => one.endsWith('.perTryTimeout'))).map(({ verdict }) => verdict);

  it.each([
    ['gateway-api', { request: '5s', backendRequest: '1s' }, 'backendRequest: 1s', ['kept']],
    ['gateway-api', { backendRequest: '1s' }, 'backendRequest: 1s', ['kept']],
    ['linkerd', { request: '5s', backendRequest: '1s' }, 'backendRequest: 1s', ['kept']],
    ['istio', { request: '5s', backendRequest: '1s' }, 'timeout: 1s', ['approximated']],
  ] as const)('%s %j: %s', async (target, timeouts, said, verdicts) => {
    const source = text(service('a'), route(timeouts));
    const loaded = (await loadTexts([source])) as NonNullable<Awaited<ReturnType<typeof loadTexts>>>;
    const { text: written, losses, differences, faults } = await passage({ ...loaded, resources: [] }, target, { text: source } as never);
    expect(written).toContain(said);
    expect([verdictOf(losses), faults]).toEqual([verdicts, []]);
    if (target === 'gateway-api') expect(differences?.filter((path) => path.includes('perTry'))).toEqual([]);
  });

  it('the concise form has it among the retries', async () => {
    const source = text(service('a'), route({ request: '5s', backendRequest: '1s' }));
    const loaded = (await loadTexts([source])) as NonNullable<Awaited<ReturnType<typeof loadTexts>>>;
    const { text: written, differences } = await passage(loaded, 'concise', { text: source } as never);
    expect(written).toContain('perTryTimeout: 1s');
    expect(differences).toEqual([]);
  });
});
