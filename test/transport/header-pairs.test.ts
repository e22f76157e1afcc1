import { describe, expect, it } from 'vitest';
import { type HeaderInput, headerPairs, isOwnHeader, withoutHeader } from '../../src/transport/header-pairs.ts';

describe('header pairs', () => {
  it.each<[string, unknown, string[]]>([
    ['nothing', undefined, []],
    ['null', null, []],
    ['a flat array', ['a', '1', 'B', '2'], ['a', '1', 'B', '2']],
    ['buffers', [Buffer.from('a'), Buffer.from('gr\u00fc', 'latin1')], ['a', 'gr\u00fc']],
    [
      'an array of pairs',
      [
        ['a', '1'],
        ['b', ['2', '3']],
      ],
      ['a', '1', 'b', '2', 'b', '3'],
    ],
    ['a record', { a: '1', b: ['2', '3'], c: undefined, d: 4 }, ['a', '1', 'b', '2', 'b', '3', 'd', '4']],
    ['a flat array with several values', ['a', ['1', '2']], ['a', '1', 'a', '2']],
    ['Headers', new Headers({ B: '2', a: '1' }), ['a', '1', 'b', '2']],
    ['a Map', new Map([['a', '1']]), ['a', '1']],
    ['an empty array', [], []],
    [
      'host and the headers of the mesh are left out',
      { Host: 'x', 'X-Envoy-Attempt-Count': '3', 'x-envoy-expected-rq-timeout-ms': '1', 'x-envoy-other': 'y' },
      ['x-envoy-other', 'y'],
    ],
  ])('%s', (_, input, pairs) => {
    expect(headerPairs(input as HeaderInput)).toEqual(pairs);
  });

  it('an odd array is refused, as undici does', () => {
    expect(() => headerPairs(['a'])).toThrow('headers array must be even');
  });

  it('the array is a new one', () => {
    const given = ['a', '1'];
    expect(headerPairs(given)).not.toBe(given);
  });

  it.each([
    ['host', true],
    ['HOST', true],
    ['hos', false],
    ['x-envoy-attempt-count', true],
    ['x-envoy-attempt-counT', true],
    ['x-host', false],
  ])('%s is ours: %s', (name, isOwn) => {
    expect(isOwnHeader(name)).toBe(isOwn);
  });

  it('without a header, however it is spelled', () => {
    expect(withoutHeader(['a', '1', 'Content-Length', '2', 'content-length', '3', 'content-lengtH2', '4'], 'content-length')).toEqual([
      'a',
      '1',
      'content-lengtH2',
      '4',
    ]);
  });
});
