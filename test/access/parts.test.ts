// The small parts of authorization by themselves, where the tables do not reach.
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../src/core/call.ts';
import { compileAccess } from '../../src/access/access.ts';
import { addressTest } from '../../src/access/address.ts';
import { anyText, globTest, textTest } from '../../src/access/text.ts';
import { AccessCheck } from '../../src/access/check.ts';
import { accessRequestOf, authorizeLayer } from '../../src/inbound/authorize-layer.ts';
import { CallBody } from '../../src/inbound/peek-body.ts';
import { editHead, type HeadEdits, NO_EDITS } from '../../src/access/head-edit.ts';
import { NOBODY } from '../../src/inbound/trusted-callers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { allow, deny, peer, request, rule, SELF } from './cases.ts';
import { inboundCall } from '../inbound/fake-inbound.ts';

describe('globs', () => {
  it.each([
    ['a*b*c', 'abc', true],
    ['a*b*c', 'axxbxxc', true],
    ['a*b*c', 'acb', false],
    ['a*b*c', 'ac', false],
    ['a*b*c', 'abxcx', false],
    ['a*b*c', 'xabc', false],
    ['ab*b*bc', 'abbc', false],
    ['ab*b*bc', 'abbbc', true],
    ['a*x*y*b', 'axyb', true],
    ['a*x*y*b', 'ayxb', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a.c', 'abc', false],
    ['abc', 'abc', true],
    ['*', '', false],
    ['**', '', true],
  ])('%s and %s', (glob, text, expected) => {
    expect(globTest(glob)(text)).toBe(expected);
  });
});

describe('lists of values', () => {
  const many = Array.from({ length: 9 }, (_, i) => `v${i}`);

  it.each([
    [[], 'v0', false],
    [['v0'], 'v0', true],
    [['v0'], 'v1', false],
    [['v0', 'v1'], 'v1', true],
    [['v0', 'v1'], 'v', false],
    [many, 'v8', true],
    [many, 'v9', false],
    [['v0', 'x*'], 'xy', true],
    [['v0', '*y'], 'xy', true],
    [['v0', '*y'], 'yx', false],
    [[...many, 'x*'], 'xy', true],
  ])('%j and %s', (values, text, expected) => {
    expect(anyText(values)(text)).toBe(expected);
  });

  it('may be made of other tests', () => {
    const isNot = anyText(['a', 'b'], (value) => (text) => text !== value);
    expect([isNot('a'), isNot('c')]).toEqual([true, true]);
  });

  it('an exact star stands for what is there', () => {
    expect([textTest('*')(''), textTest('*')('x'), textTest('**')('x*'), textTest('a')('')]).toEqual([false, true, true, false]);
  });
});

describe('ranges of addresses', () => {
  it.each([
    [['::ffff:10.0.0.0/104'], '10.9.9.9', true],
    [['::ffff:10.0.0.0/104'], '11.0.0.0', false],
    [['::ffff:10.0.0.0/90'], '11.0.0.0', true],
    [['::ffff:10.0.0.7'], '10.0.0.7', true],
    [['::1'], '::1', true],
    [['::1'], '::2', false],
    [['10.0.0.0/8'], 'localhost', false],
    [['10.0.0.0/8'], '::FFFF:10.0.0.1', true],
    [[], '10.0.0.1', false],
  ])('%j and %s', (ranges, address, expected) => {
    const isIn = addressTest(ranges);
    expect([isIn(address), isIn(address)]).toEqual([expected, expected]);
    expect(isIn('')).toBe(false);
  });
});

describe('patterns that are written in another way than the path', () => {
  const may = (path: string, target: string): boolean =>
    compileAccess([allow({ paths: [path] })], SELF).decide(request({ target })).allowed;

  it.each([
    ['/caf%C3%A9', '/caf%C3%A9', true],
    ['/caf%C3%A9', '/CAF%C3%A9', false],
    ['/caf%C3%A9/*', '/caf%C3%A9/x', true],
    ['/caf%C3%A9/*', '/cafe/x', false],
    ['*/%C3%A9', '/x/%C3%A9', true],
    ['/a;v=1', '/a;v=1', true],
    ['/a;v=1', '/a;v=2', false],
    ['/a;v=1', '/a', false],
    ['/a//b', '/a//b', true],
    ['/a//b', '/a/b', false],
    ['/a%2Fb', '/a/b', false],
    ['/A/', '/A/', true],
    ['/A/', '/A', false],
    ['/A/*', '/A/B', true],
    ['/A/*', '/a/b', false],
    ['*', '/%61', true],
  ])('ALLOW %s and %s', (path, target, expected) => {
    expect(may(path, target)).toBe(expected);
  });

  it.each([
    ['/A/', '/a', true],
    ['/a', '/A/', true],
    ['/A/*', '/a/b', true],
    ['*/B', '/a/b/', true],
    ['/{*}/B', '/a/b', true],
    ['/{*}/b', '/a/B/', true],
    ['/a%2Fb', '/A%2fB/', true],
    ['/caf%C3%A9/*', '/CAF\u00c9/x', false],
    ['/x%2F*', '/X/Y', false],
    ['/x%2F*', '/X%2FY', true],
    ['*%2Fx', '/a%2FX', true],
    ['/%2e%2e;/b', '/other', false],
  ])('DENY %s and %s', (path, target, expected) => {
    expect(compileAccess([deny({ paths: [path] })], SELF).decide(request({ target })).allowed).toBe(!expected);
  });
});

describe('rules whose sources differ in kind', () => {
  it('are asked each time, because an address is no matter of the certificate', () => {
    const access = compileAccess([allow({ ipBlocks: ['10.0.0.7'], notPrincipals: ['x'] })], SELF);
    expect([
      access.decide(request()).allowed,
      access.decide(request({ peerAddress: '1.1.1.1' })).allowed,
      access.decide(request()).allowed,
    ]).toEqual([true, false, true]);
  });

  it('are known for a connection, whatever was asked before', () => {
    const access = compileAccess([allow({ namespaces: ['a'] }), deny({ principals: ['td/ns/a/sa/c'] })], SELF);
    const callers = ['td/ns/a/sa/b', 'td/ns/b/sa/b', 'td/ns/a/sa/c'].map((name) => request({ peer: peer(name) }));
    const ask = (): boolean[] => [...callers, request()].map((call) => access.decide(call).allowed);
    expect([ask(), ask()]).toEqual([
      [true, false, false, false],
      [true, false, false, false],
    ]);
  });

  it('on headers look at a copy that has a comma in it', () => {
    const headers = ['x', 'a, b', 'x', 'c'];
    expect(compileAccess([deny({ 'request.headers[x]': ['a, b'] })], SELF).decide(request({ headers })).allowed).toBe(false);
    expect(compileAccess([allow({ 'not request.headers[x]': ['a, b'] })], SELF).decide(request({ headers })).allowed).toBe(false);
  });

  it('of several operations the paths are named, or those that are excepted', () => {
    const both = { ...rule({}), to: [...rule({ paths: ['/a'] }).to, ...rule({ notPaths: ['/c'] }).to] };
    const excepted = { ...rule({}), to: [...rule({ notPaths: ['/c'], ports: ['1'] }).to, ...rule({ notPaths: ['/c'] }).to] };
    const of = (one: typeof both): string =>
      compileAccess([{ ...allow(), rules: [one] }], SELF).decide(request({ target: '/c' })).condition;
    expect([of(both), of(excepted)]).toEqual(['paths', 'notPaths']);
  });
});

describe('a call without a connection', () => {
  it('has no ends', () => {
    const call = inboundCall(new VirtualClock(), { headers: ['hosu', 'x'] });
    expect(accessRequestOf(call, NOBODY)).toEqual({
      peer: null,
      isTls: false,
      method: 'GET',
      target: '/',
      authority: '',
      headers: ['hosu', 'x'],
      localAddress: '',
      localPort: 0,
      peerAddress: '',
      remoteAddress: '',
      sni: '',
      jwt: null,
      content: new CallBody(call),
    });
  });

  it('may name two hosts, which is none, or be encrypted by somebody else', () => {
    const call = inboundCall(new VirtualClock(), { headers: ['host', 'a', 'Host', 'b'] });
    expect(accessRequestOf(call, NOBODY).authority).toBe('');
    Object.assign(call.request, { socket: { encrypted: true } });
    expect(accessRequestOf(call, NOBODY).isTls).toBe(true);
  });

  it('keeps its path when only its headers are changed', async () => {
    const call = inboundCall(new VirtualClock(), { headers: ['host', 'a'] });
    const access = compileAccess([], SELF);
    const tokens = { check: () => ({ fault: '', jwt: null, edits: { ...NO_EDITS, remove: ['x'] } }) };
    const check = new AccessCheck({ access, tokens, authorizers: new Map(), functions: [] });
    const paths: string[] = [];
    const next = authorizeLayer({ check, clock: new VirtualClock(), trusted: NOBODY, onVerdict() {} })((one) => {
      paths.push(one.path);
      return Promise.resolve({} as Reply);
    });
    Object.assign(call.request, { headers: {} });
    await next(call);
    expect(paths).toEqual(['/']);
  });

  it('may have several lines of those who handed it on, or none', () => {
    const call = inboundCall(new VirtualClock());
    const everybody = { has: () => true };
    const remote = (forwarded: string | string[] | undefined): string => {
      Object.assign(call.request, { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: '10.0.0.1' } });
      return accessRequestOf(call, everybody).remoteAddress;
    };
    expect([remote(undefined), remote(['1.1.1.1', '2.2.2.2']), remote('3.3.3.3')]).toEqual(['10.0.0.1', '1.1.1.1', '3.3.3.3']);
  });
});

describe('changes to a head', () => {
  const edited = (edits: Partial<HeadEdits>, raw: string[] = []): { url: string; rawHeaders: string[]; headers: object } => {
    const headers: Record<string, string | string[]> = {};
    for (let i = 0; i < raw.length; i += 2) headers[raw[i]?.toLowerCase() as string] = raw[i + 1] as string;
    const head = { url: '/', rawHeaders: raw, headers };
    editHead(head, { ...NO_EDITS, ...edits });
    return head;
  };

  it.each([
    [{}, ['A', '1'], ['A', '1'], { a: '1' }],
    [{ remove: ['a'] }, ['A', '1', 'b', '2', 'a', '3'], ['b', '2'], { b: '2' }],
    [{ set: [['a', '2']] }, ['A', '1'], ['a', '2'], { a: '2' }],
    [
      {
        set: [
          ['a', '2'],
          ['a', '3'],
        ],
      },
      [],
      ['a', '2', 'a', '3'],
      { a: '2,3' },
    ],
    [{ append: [['a', '2']] }, ['a', '1'], ['a', '1', 'a', '2'], { a: '1, 2' }],
    [{ append: [['cookie', 'b=2']] }, ['cookie', 'a=1'], ['cookie', 'a=1', 'cookie', 'b=2'], { cookie: 'a=1; b=2' }],
    [{ append: [['a', '2']] }, [], ['a', '2'], { a: '2' }],
  ] satisfies [Partial<HeadEdits>, string[], string[], object][])('%j', (edits, raw, rawHeaders, headers) => {
    expect(edited(edits, [...raw])).toEqual({ url: '/', rawHeaders, headers });
  });

  it('may be where it goes', () => {
    expect(edited({ target: '/b' }).url).toBe('/b');
  });

  it('know headers that are lists', () => {
    const head = { url: '/', rawHeaders: [], headers: { 'set-cookie': ['a', 'b'] } };
    editHead(head, { ...NO_EDITS, append: [['set-cookie', 'c']] });
    expect(head.headers).toEqual({ 'set-cookie': 'a, b, c' });
  });
});
