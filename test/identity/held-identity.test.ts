// What a source holds: what it says of itself, and what happens once it is closed.
import { describe, expect, it } from 'vitest';
import { newAuthority } from '../../src/identity/dev-authority.ts';
import { HeldIdentity } from '../../src/identity/held-identity.ts';
import type { IdentityMaterial } from '../../src/identity/identity-material.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import { StrictClock } from './strict-clock.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const root = newAuthority({ trustDomain: 'a.test', nowMs: NOW_MS });

function material(lifeMs = 3_600_000): IdentityMaterial {
  const { chain, key } = root.issue({ spiffeId: 'spiffe://a.test/x', nowMs: NOW_MS, lifeMs });
  return { chain: chain.join(''), key, roots: root.cert };
}

function held(): { readonly held: HeldIdentity; readonly clock: VirtualClock } {
  const clock = new StrictClock(1_000, NOW_MS);
  return { held: new HeldIdentity({ clock, random: () => 0.999 }), clock };
}

describe('an identity that is held', () => {
  it('has what was offered, and no aliases unless they are given', () => {
    const { held: source } = held();
    const offered = material();
    expect(source.offer(offered)).toBe(true);
    expect(source.current).toMatchObject({ key: offered.key, trustDomainAliases: [], crls: [], version: 1 });
    expect(source.current?.chain.map((pem) => pem.trim())).toEqual([offered.chain.trim()]);
  });

  it('the same again is good, and nothing new', () => {
    const { held: source } = held();
    const offered = material();
    expect([source.offer(offered), source.offer(offered), source.current?.version]).toEqual([true, true, 1]);
  });

  it('one that has expired is refused, and it is said when', () => {
    const { held: source } = held();
    expect(source.offer(material(-60_000))).toBe(false);
    expect(source.lastError?.message).toMatch(/^the certificate has expired \(\d{4}-.*Z to 2025-12-31T23:59:00\.000Z\)$/);
  });

  it('a chain that is garbage says why', () => {
    const { held: source } = held();
    source.offer({ ...material(), chain: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' });
    expect(source.lastError).toMatchObject({
      message: expect.stringContaining('the certificate chain holds garbage'),
      cause: expect.any(Error),
    });
  });

  it('the second waits, and what waited is taken once', () => {
    const { held: source, clock } = held();
    source.offer(material());
    source.offer(material());
    expect([source.current?.version, clock.armed]).toEqual([1, 1]);
    clock.advance(20_000);
    expect([source.current?.version, clock.armed, source.newest === source.current]).toEqual([2, 0, true]);
    source.offer(material());
    clock.advance(20_000);
    expect(source.current?.version).toBe(3);
  });
});

describe('a source that is closed', () => {
  it('is closed once, tells nobody anything, and has no timer', () => {
    const { held: source, clock } = held();
    source.offer(material());
    source.offer(material());
    const news: string[] = [];
    source.subscribe(
      () => {},
      ({ message }) => news.push(message),
    );
    let closes = 0;
    source.onClose = () => {
      closes++;
    };
    source.close();
    source.close();
    source.fail(new Error('late'));
    expect({ closes, news, armed: clock.armed, isClosed: source.isClosed }).toEqual({ closes: 1, news: [], armed: 0, isClosed: true });
    // It was good, though nobody takes it.
    expect([source.offer(material()), source.current?.version]).toEqual([true, 1]);
  });

  it('rejects those who wait for the first', async () => {
    const { held: source } = held();
    source.close();
    await expect(source.ready()).rejects.toThrow('the source of the identity was closed');
  });
});
