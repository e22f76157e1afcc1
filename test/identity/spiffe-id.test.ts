import { describe, expect, it } from 'vitest';
import { isLocalDomain, parseSpiffeId, spiffePattern, trustDomainFault } from '../../src/identity/spiffe-id.ts';

const LONG = 'a'.repeat(2_048 - 'spiffe://td/'.length);

describe('SPIFFE IDs', () => {
  it.each([
    ['spiffe://td.example/x', 'td.example', '', ''],
    ['spiffe://td/ns/default/sa/reviews', 'td', 'default', 'reviews'],
    ['spiffe://t-d_0.x/ns/a/sa/b/c', 't-d_0.x', '', ''],
    ['spiffe://td/sa/a/ns/b', 'td', '', ''],
    ['spiffe://td/ns/a/sb/b', 'td', '', ''],
    ['spiffe://td/ms/a/sa/b', 'td', '', ''],
    ['spiffe://td/A-Z_0.9/...', 'td', '', ''],
    [`spiffe://td/${LONG}`, 'td', '', ''],
    [`spiffe://${'d'.repeat(255)}/x`, 'd'.repeat(255), '', ''],
  ])('%s', (text, trustDomain, namespace, serviceAccount) => {
    expect(parseSpiffeId(text)).toEqual({ text, trustDomain, namespace, serviceAccount });
  });

  it.each([
    ['', 'it does not begin with spiffe://'],
    ['https://td/x', 'it does not begin with spiffe://'],
    ['SPIFFE://td/x', 'it does not begin with spiffe://'],
    [' spiffe://td/x', 'it does not begin with spiffe://'],
    ['spiffe://', 'it has no trust domain'],
    ['spiffe:///x', 'it has no trust domain'],
    ['spiffe://td', 'it has no path'],
    ['spiffe://tD', 'lower-case letters'],
    ['spiffe://TD/x', 'lower-case letters'],
    ['spiffe://td:8080/x', 'lower-case letters'],
    ['spiffe://user@td/x', 'lower-case letters'],
    ['spiffe://td%41/x', 'lower-case letters'],
    ['spiffe://tä/x', 'lower-case letters'],
    ['spiffe://td\0/x', 'lower-case letters'],
    [`spiffe://${'d'.repeat(256)}/x`, 'longer than 255 bytes'],
    [`spiffe://td/${LONG}a`, 'longer than 2048 bytes'],
    ['spiffe://td/', 'an empty segment'],
    ['spiffe://td/x/', 'an empty segment'],
    ['spiffe://td//x', 'an empty segment'],
    ['spiffe://td/.', 'a segment that may not be (".")'],
    ['spiffe://td/../x', 'a segment that may not be ("..")'],
    ['spiffe://td/%61', 'a segment that may not be ("%61")'],
    ['spiffe://td/x?y', 'a segment that may not be'],
    ['spiffe://td/x#y', 'a segment that may not be'],
    ['spiffe://td/x\0', 'a segment that may not be ("x\\u0000")'],
    ['spiffe://td/x,URI:spiffe:', 'a segment that may not be'],
    [`spiffe://td/${'!'.repeat(40)}`, `("${'!'.repeat(40)}")`],
    [`spiffe://td/${'!'.repeat(60)}`, `("${'!'.repeat(40)}…")`],
  ])('%j is none: %s', (text, reason) => {
    expect(parseSpiffeId(text)).toContain(reason);
  });

  it('names of trust domains', () => {
    expect([trustDomainFault('a.b'), trustDomainFault('')]).toEqual([null, 'it has no trust domain']);
  });
});

describe('patterns', () => {
  const local = { name: 'prod.example', aliases: ['old.example'] };

  it.each([
    ['spiffe://td/ns/*/sa/reviews', 'spiffe://td/ns/a/sa/reviews', true],
    ['spiffe://td/ns/*/sa/reviews', 'spiffe://td/ns/a/sa/ratings', false],
    ['spiffe://td/ns/*/sa/reviews', 'spiffe://td/ns/a/b/sa/reviews', false],
    ['spiffe://td/*', 'spiffe://td/x', true],
    ['spiffe://td/*', 'spiffe://td/x/y', false],
    ['spiffe://td/*/*', 'spiffe://td/x/y', true],
    ['spiffe://td/x', 'spiffe://td2/x', false],
    ['spiffe://td/x', 'spiffe://td/X', false],
    ['spiffe://cluster.local/x', 'spiffe://prod.example/x', true],
    ['spiffe://cluster.local/x', 'spiffe://old.example/x', true],
    ['spiffe://cluster.local/x', 'spiffe://else.example/x', false],
    ['spiffe://old.example/x', 'spiffe://prod.example/x', true],
    ['spiffe://prod.example/x', 'spiffe://old.example/x', true],
    ['spiffe://prod.example/x', 'spiffe://else.example/x', false],
    ['spiffe://else.example/x', 'spiffe://prod.example/x', false],
  ])('%s and %s: %s', (pattern, text, fits) => {
    const id = parseSpiffeId(text);
    if (typeof id === 'string') throw new Error(id);
    expect(spiffePattern(pattern, local)(id)).toBe(fits);
  });

  it.each(['spiffe://td/ns/a*/sa/b', 'spiffe://*/x', 'spiffe://td/**', 'https://td/x', 'spiffe://td'])('%s is none', (pattern) => {
    expect(() => spiffePattern(pattern, local)).toThrow(`${JSON.stringify(pattern)} cannot be a SPIFFE ID or pattern, because`);
  });

  it('a process without a domain has no local one', () => {
    expect([isLocalDomain('', { name: '', aliases: [] }), isLocalDomain('x', { name: '', aliases: ['x'] })]).toEqual([false, true]);
  });
});
