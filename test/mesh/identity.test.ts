// The identity of a mesh: from its configuration or from code, over reloads, in events and in the snapshot.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { MeshEvent } from '../../src/core/events.ts';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import { createMesh } from '../../src/mesh/create-mesh.ts';
import { MeshIdentity } from '../../src/mesh/mesh-identity.ts';
import type { IdentityInput } from '../../src/model/input.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';

const NOW_MS = Date.now();
const HOUR_MS = 3_600_000;
const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });
const other = newAuthority({ trustDomain: 'b.test', nowMs: NOW_MS });
const ID = 'spiffe://a.test/ns/x/sa/y';
const folder = mkdtempSync(join(tmpdir(), 'inmesh-mesh-identity-'));

afterAll(() => rmSync(folder, { recursive: true }));

function pem(lifeMs = HOUR_MS): { readonly cert: string; readonly key: string; readonly ca: string } {
  const { chain, key } = root.issue({ spiffeId: ID, nowMs: NOW_MS, lifeMs });
  return { cert: chain.join(''), key, ca: root.cert };
}

function held(clock: VirtualClock): HeldIdentity {
  const one = new HeldIdentity({ clock, random: () => 0, jitterMaxMs: 0 });
  const { cert, key, ca } = pem();
  one.offer({ chain: cert, key, roots: ca });
  return one;
}

describe('the identity of a mesh', () => {
  it('is in the snapshot, and told of', async () => {
    const mesh = await createMesh({ config: { identity: pem(), services: {} }, watch: false });
    expect(mesh.snapshot().certs).toMatchObject({ spiffeId: ID, generation: 1, trustDomains: ['a.test'], lastError: null });
    expect(mesh.identity?.current?.spiffeId).toBe(ID);
    const rotated: unknown[] = [];
    mesh.events.addEventListener('identityRotated', ({ detail }) => rotated.push(detail.spiffeId));
    await mesh.reload({ identity: pem(2 * HOUR_MS), services: {} });
    expect(rotated).toEqual([ID]);
    await mesh.reload({ services: {} });
    expect([mesh.snapshot().certs, mesh.identity]).toEqual([null, null]);
    await mesh.close();
  });

  it.each<[string, IdentityInput, string]>([
    ['a file that is not there', { ...pem(), cert: '/no/such.crt' }, 'the certificate cannot be read from /no/such.crt'],
    ['the key of another', { ...pem(), key: pem().key }, 'the private key does not fit the certificate'],
    ['none handed in', { external: true }, 'identity is external, but none was handed in: createMesh({ identity })'],
    ['no agent at that address', { spiffe: 'agent' }, '"agent" is no address of a SPIFFE agent'],
    ['two ways', { ...pem(), spiffe: 'unix:///x' }, 'identity has cert, key, ca, spiffe; give either cert, key and ca, or directory'],
    ['half a way', { cert: 'x' }, 'identity lacks key, ca; give cert, key and ca, or directory'],
    ['a hint for nobody', { ...pem(), hint: 'x' }, 'identity: hint chooses among what a SPIFFE agent has'],
  ])('%s is an error at load', async (_, identity, message) => {
    await expect(createMesh({ config: { identity, services: {} }, watch: false })).rejects.toThrow(message);
  });

  it('bundles are roots too', async () => {
    const { ca, ...own } = pem();
    const mesh = await createMesh({
      config: { identity: { ...own, bundles: { 'a.test': ca, 'b.test': other.cert } }, services: {} },
      watch: false,
    });
    expect(mesh.snapshot().certs?.trustDomains).toEqual(['a.test', 'b.test']);
    await mesh.close();
  });

  it('handed in, it is not closed with the mesh', async () => {
    const clock = new VirtualClock(1_000, NOW_MS);
    const given = held(clock);
    const mesh = await createMesh({ config: { identity: { external: true }, services: {} }, watch: false, clock, identity: given });
    expect(mesh.identity).toBe(given);
    await mesh.close();
    expect(given.isClosed).toBe(false);
  });
});

describe('what it tells', () => {
  interface Bench {
    readonly events: MeshEvent[];
    readonly clock: VirtualClock;
    readonly identity: MeshIdentity;
    readonly given: HeldIdentity;
  }

  function bench(): Bench {
    const clock = new VirtualClock(1_000, NOW_MS);
    const events: MeshEvent[] = [];
    const given = held(clock);
    const identity = new MeshIdentity({ clock, random: seededRandom(1), emit: (event) => events.push(event), given, readyMs: 1_000 });
    return { events, clock, identity, given };
  }

  it('a third, a tenth, nothing of its life is left', () => {
    const { events, clock, identity } = bench();
    clock.advance(HOUR_MS);
    const told = events.map((event) => (event.type === 'identityExpiring' ? event.severity : event.type));
    expect(told).toEqual(['identityRotated', 'warning', 'error', 'expired']);
    identity.close();
    expect(clock.armed).toBe(0);
  });

  it('a new one in time, and nothing is said', () => {
    const { events, clock, given, identity } = bench();
    const { cert, key, ca } = pem(10 * HOUR_MS);
    given.offer({ chain: cert, key, roots: ca });
    clock.advance(2 * HOUR_MS);
    given.fail(new Error('x'));
    given.withdraw(new Error('y'));
    expect(events.map(({ type }) => type)).toEqual(['identityRotated', 'identityRotated', 'identityFailed', 'identityFailed']);
    expect([clock.armed, identity.snapshot()]).toEqual([
      0,
      { spiffeId: '', notAfterMs: 0, generation: 0, trustDomains: [], lastError: 'y' },
    ]);
  });

  it('several trust domains on a Node that hides intermediates', async () => {
    const { events, given } = bench();
    const { cert, key, ca } = pem();
    given.offer({
      chain: cert,
      key,
      bundles: new Map([
        ['a.test', [ca]],
        ['b.test', [other.cert]],
      ]),
    });
    given.offer({
      chain: cert,
      key,
      bundles: new Map([
        ['a.test', [ca]],
        ['c.test', [other.cert]],
      ]),
    });
    for (let i = 0; i < 50; i++) await settle();
    const told = events.filter(({ type }) => type === 'identityFailed');
    expect(told.length).toBe(process.version === 'v24.21.0' ? 1 : 0);
  });

  it('an agent that does not answer is waited for, not for ever', async () => {
    const clock = new VirtualClock(1_000, NOW_MS);
    const identity = new MeshIdentity({ clock, random: seededRandom(1), emit: () => {}, readyMs: 1_000 });
    const preparing = identity.prepare({ spiffe: `unix://${join(folder, 'none.sock')}` });
    await settle();
    clock.advance(1_000);
    const prepared = await preparing;
    expect(prepared.source?.current).toBeNull();
    identity.discard(prepared);
    identity.close();
  });

  it('the same configuration keeps its source; what fails after it closes the new one', async () => {
    const clock = new VirtualClock(1_000, NOW_MS);
    const identity = new MeshIdentity({ clock, random: seededRandom(1), emit: () => {}, readyMs: 1_000 });
    const { cert, key, ca } = pem();
    writeFileSync(join(folder, 'ca.pem'), ca);
    const config = { cert, key, ca: join(folder, 'ca.pem') };
    await identity.with(config, () => Promise.resolve());
    const first = identity.source;
    await identity.with({ ...config }, () => Promise.resolve());
    expect(identity.source).toBe(first);
    const armed = clock.armed;
    await expect(identity.with(pem(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect([identity.source === first, clock.armed]).toEqual([true, armed]);
    await identity.with(null, () => Promise.resolve());
    expect([identity.source, identity.snapshot(), clock.armed]).toEqual([null, null, 0]);
    identity.close();
  });
});
