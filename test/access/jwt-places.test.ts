// Where tokens stand, and what is left of a request without them.
import { describe, expect, it } from 'vitest';
import { TokenPlaces } from '../../src/access/jwt-places.ts';
import type { JwtRule } from '../../src/model/security.ts';
import { request } from './cases.ts';

function rule(more: Partial<JwtRule> = {}): JwtRule {
  return {
    issuer: 'https://issuer.test',
    audiences: [],
    fetchTimeoutMs: 5_000,
    fromHeaders: [],
    fromParams: [],
    fromCookies: [],
    forwardOriginalToken: false,
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
    required: false,
    source: { file: 'mesh.yaml', line: 1, column: 1 },
    ...more,
  };
}

const BEARER = { fromHeaders: [{ name: 'authorization', prefix: 'Bearer ' }] };

describe('tokens', () => {
  const found = (rules: JwtRule[], more: Parameters<typeof request>[0]): [string, number][] =>
    new TokenPlaces(rules).find(request(more)).map(({ text, rules: of }) => [text, of.length]);

  it.each<[string, JwtRule[], Parameters<typeof request>[0], [string, number][]]>([
    ['in a header, without the space around', [rule(BEARER)], { headers: ['Authorization', 'Bearer  t '] }, [['t', 1]]],
    ['in a header of another name', [rule(BEARER)], { headers: ['authorizatiom', 'Bearer t'] }, []],
    ['after another word', [rule(BEARER)], { headers: ['authorization', 'Basic t'] }, []],
    ['once for a rule', [rule(BEARER)], { headers: ['authorization', 'Bearer t', 'authorization', 'Bearer t'] }, [['t', 1]]],
    ['for two rules', [rule(BEARER), rule(BEARER)], { headers: ['authorization', 'Bearer t'] }, [['t', 2]]],
    ['in the query', [rule({ fromParams: ['t'] })], { target: '/a?x=1&t=abc#t=d' }, [['abc', 1]]],
    ['in no query', [rule({ fromParams: ['/t', 't'] })], { target: '/t=abc' }, []],
    ['in a target that is a query', [rule({ fromParams: ['t'] })], { target: '?t=abc' }, [['abc', 1]]],
    ['in a cookie', [rule({ fromCookies: ['s'] })], { headers: ['cookie', 'a=b; s=t', 'cookie', 's'] }, [['t', 1]]],
  ])('%s', (_, rules, more, expected) => {
    expect(found(rules, more)).toEqual(expected);
  });

  it('are nowhere else, whatever a caller calls its headers', () => {
    const places = new TokenPlaces([
      rule({ outputPayloadToHeader: 'X-Payload', outputClaimToHeaders: [{ header: 'x-sub', claim: 'sub' }] }),
      rule(),
    ]);
    expect(places.spoofed(request({ headers: ['x-payload', 'evil', 'X-Sub', 'evil', 'x-other', '1'] }))).toEqual(['x-payload', 'x-sub']);
    expect(places.spoofed(request())).toEqual([]);
  });
});

describe('a request without its token', () => {
  const left = (more: Partial<JwtRule>, asked: Parameters<typeof request>[0]): object =>
    new TokenPlaces([rule(more)]).without(new Set(['t', 't2']), request(asked));

  it.each<[string, Partial<JwtRule>, Parameters<typeof request>[0], object]>([
    ['in a header', BEARER, { headers: ['Authorization', 'Bearer  t '] }, { remove: ['authorization'] }],
    ['another in the header', BEARER, { headers: ['authorization', 'Bearer other'] }, {}],
    ['with another word before it', BEARER, { headers: ['authorization', 'Basics t'] }, {}],
    ['handed on', { ...BEARER, forwardOriginalToken: true }, { headers: ['authorization', 'Bearer t'] }, {}],
    ['in the query', { fromParams: ['k'] }, { target: '/a?x=t&k=t&k=u' }, { target: '/a?x=t&k=u' }],
    ['alone in the query', { fromParams: ['k'] }, { target: '/a?k=t' }, { target: '/a' }],
    ['in the query, its name in escapes', { fromParams: ['k_k'] }, { target: '/a?k%5Fk=t&b' }, { target: '/a?b' }],
    ['not in the query', { fromParams: ['k'] }, { target: '/a?k=u&x=t#f' }, {}],
    ['without a query', { fromParams: ['k'] }, { target: '/k=t' }, {}],
    ['in a cookie', { fromCookies: ['s'] }, { headers: ['cookie', 'a=t; s=t; s=u'] }, { set: [['cookie', 'a=t; s=u']] }],
    ['alone in a cookie', { fromCookies: ['s'] }, { headers: ['cookie', 's=t'] }, { remove: ['cookie'] }],
    ['two of them in the query', { fromParams: ['k', 'l'] }, { target: '/a?k=t&x&l=t2' }, { target: '/a?x' }],
    ['two of them in one parameter', { fromParams: ['k'] }, { target: '/a?k=t&k=t2' }, { target: '/a' }],
    ['two of them in cookies', { fromCookies: ['r', 's'] }, { headers: ['cookie', 'r=t; a=b; s=t2'] }, { set: [['cookie', 'a=b']] }],
    [
      'the same in two cookies',
      { fromCookies: ['r', 's'] },
      { headers: ['cookie', 'r=t; s=t', 'cookie', 'a'] },
      { set: [['cookie', 'a']] },
    ],
    [
      'other cookies as they came',
      { fromCookies: ['s'] },
      { headers: ['cookie', 'flag;s = t; a= "b=" ;'] },
      { set: [['cookie', 'flag; a= "b="']] },
    ],
    ['alone in a cookie that ends with a semicolon', { fromCookies: ['s'] }, { headers: ['cookie', 's=t;'] }, { remove: ['cookie'] }],
    ['in a cookie that is handed on', { fromCookies: ['s'], forwardOriginalToken: true }, { headers: ['cookie', 's=t; a=b'] }, {}],
    ['in no cookie', { fromCookies: ['s'] }, { headers: ['cookie', 'a=t; s=u'] }, {}],
  ])('%s', (_, more, asked, expected) => {
    expect(left(more, asked)).toEqual({ remove: [], set: [], target: null, ...expected });
  });
});
