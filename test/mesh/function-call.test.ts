// mesh.call at its edges: who is told what, when, and what comes too late.
import { describe, expect, it } from 'vitest';
import { MeshError } from '../../src/core/errors.ts';
import type { MeshInput } from '../../src/model/input.ts';
import { meshWorld, type MeshWorld } from '../support/mesh-world.ts';

const world = (policy: NonNullable<MeshInput['services']>[string] = {}): Promise<MeshWorld> =>
  meshWorld({ services: { jobs: { endpoints: [], retries: false, ...policy } } });
const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe('mesh.call', () => {
  it.each([
    ['its time', {}, { timeout: 50 }, 'deadline_exceeded'],
    ['its time as text', {}, { timeout: '50ms' }, 'deadline_exceeded'],
    ['that of one attempt', { retries: { attempts: 1, perTryTimeout: '20ms', methods: ['GET'] } }, {}, 'attempt_timeout'],
  ] as const)("ends at %s, and what the function says later is nobody's", async (_name, policy, options, code) => {
    const { mesh, clock } = await world(policy as NonNullable<MeshInput['services']>[string]);
    const late = Promise.withResolvers<number>();
    const called = mesh.call('jobs', () => late.promise, options).catch((error: unknown) => error);
    await settle();
    clock.advance(60);
    expect(await called).toMatchObject({ code, message: expect.stringContaining('the function did not settle in time') });
    late.resolve(1);
    await settle();
    expect(await mesh.call('jobs', () => 2)).toBe(2);
    await mesh.close();
  });

  it('hands the function the time that is left', async () => {
    const { mesh } = await world();
    expect(await mesh.call('jobs', ({ remainingMs }) => remainingMs, { timeout: '3s' })).toBe(3_000);
    await mesh.close();
  });

  it("rejects with the caller's reason, and tells the function", async () => {
    const { mesh } = await world();
    const abort = new AbortController();
    let told: unknown;
    const called = mesh.call('jobs', ({ signal }) => new Promise(() => signal.addEventListener('abort', () => (told = signal.reason))), {
      signal: abort.signal,
    });
    await settle();
    abort.abort(new Error('enough'));
    await expect(called).rejects.toThrow('enough');
    expect(told).toMatchObject({ message: 'enough' });
    await expect(mesh.call('jobs', () => 1, { signal: abort.signal })).rejects.toThrow('enough');
    await mesh.close();
  });

  it.each([
    ['an error', new Error('down'), 'down'],
    ['a text', 'down', 'down'],
    ['a refused connection', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'refused'],
  ])('throws what the function throws: %s', async (_name, thrown, text) => {
    const { mesh } = await world();
    const error: unknown = await mesh.call('jobs', () => Promise.reject(thrown as Error)).catch((one: unknown) => one);
    expect(error).toBe(thrown);
    expect(String(error)).toContain(text);
    await mesh.close();
  });

  it('throws an error of ours where the function threw nothing', async () => {
    const { mesh } = await world();
    // biome-ignore lint/suspicious/noEmptyBlockStatements: a rejection without a reason is the point.
    const error: unknown = await mesh.call('jobs', () => Promise.reject()).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(MeshError);
    expect(error).toMatchObject({ code: 'call_failed', message: expect.stringContaining('the function threw: undefined') });
    await mesh.close();
  });

  it('takes how much a call matters, by name', async () => {
    const { mesh } = await world();
    expect(await mesh.call('jobs', () => 1, { criticality: 'sheddable' })).toBe(1);
    await expect(mesh.call('jobs', () => 1, { criticality: 'much' as never })).rejects.toThrow('criticality is one of sheddable, ');
    await mesh.close();
  });

  it('takes no text that is no duration', async () => {
    const { mesh } = await world();
    await expect(async () => mesh.call('jobs', () => 1, { timeout: 'soon' })).rejects.toThrow(
      '"soon" is no duration; write it like 500ms, 2s or 1m30s',
    );
    await mesh.close();
  });
});
