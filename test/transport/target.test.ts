import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/transport/target.ts';

/** What `new URL` makes of it: the oracle. */
function oracle(input: string): unknown {
  const url = URL.parse(input);
  if (url === null || url.username !== '' || url.password !== '') return null;
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  return { origin: isHttp ? url.origin : 'null', path: url.pathname + url.search, href: url.href.replace(/#.*$/s, '') };
}

function target(input: string): unknown {
  try {
    return parseTarget(input);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return null;
  }
}

const PARTS = {
  scheme: ['http', 'https', 'HTTP', 'ftp', 'data', 'ws'],
  host: [
    'reviews',
    'a.b',
    'A.b',
    '127.1',
    '1.2.3.4',
    'a.0x7f',
    'xn--a',
    'xn--bcher-kva',
    'a.xn--',
    'ü',
    'a..b',
    '-a-',
    'a.',
    '[::1]',
    '%41',
    'u:p@h',
    'a b',
    '',
  ],
  port: ['', ':80', ':443', ':8080', ':0', ':08', ':65535', ':65536', ':99999', ':'],
  path: [
    '',
    '/',
    '/a/b',
    '/a/./b',
    '/a/../b',
    '/..',
    '/.',
    '/a.',
    '/a./',
    '/.a',
    '/a.b',
    '/...',
    '/%2e/x',
    '/%2E%2e',
    '/.%2e/',
    '/%2f',
    '/%zz',
    '/%',
    '/ü',
    '/a b',
    "/'",
    '/|',
    '/^',
    '/{',
    '/\\',
    '//',
    '/;@:',
    '/a\tb',
    '/"',
    '/`',
    '/<',
  ],
  query: ['', '?', '?a=b', '?a/..', "?'", '?"', '?ü', '?%2e', '?%z', '? ', '?a?b', '?.', '?|^`{'],
  hash: ['', '#', '#x', '#?'],
};

describe('where a fetch goes', () => {
  const { scheme, host, port, path, query, hash } = PARTS;
  const starts = scheme.flatMap((a) => host.flatMap((b) => port.map((c) => `${a}://${b}${c}`)));
  const ends = path.flatMap((a) => query.flatMap((b) => hash.map((c) => a + b + c)));

  it.each([
    ['start', starts.map((start) => `${start}/a/b?c`)],
    ['start without a path', starts],
    ['end', ends.map((end) => `http://reviews${end}`)],
    ['end with a port', ends.map((end) => `https://a.reviews:8443${end}`)],
  ])('is what URL says, whatever the %s', (_, inputs) => {
    expect(inputs.length).toBeGreaterThan(1_000);
    for (const input of inputs) expect(target(input), input).toEqual(oracle(input));
  });

  it('is what URL says, for random text', () => {
    const text = fc.string({ unit: fc.constantFrom(..."abcX01.:/?#%2eE@[]&=+~!$'()*,;_-|^ü \t\\"), maxLength: 30 });
    fc.assert(
      fc.property(text, (rest) => {
        expect(target(`http://a${rest}`)).toEqual(oracle(`http://a${rest}`));
      }),
      { numRuns: 3_000, seed: 11 },
    );
  });

  it('takes a URL object', () => {
    expect(parseTarget(new URL('http://Reviews:80/a?b#c'))).toEqual({ origin: 'http://reviews', path: '/a?b', href: 'http://reviews/a?b' });
  });

  it.each(['http://user@reviews/', 'http://user:password@reviews/'])('%s: credentials are refused, and not repeated', (input) => {
    expect(() => parseTarget(input)).toThrow('Request cannot be constructed from a URL that includes credentials: http://reviews');
  });
});
