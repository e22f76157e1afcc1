// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is the notation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasPlaceholder, interpolate, plainValue } from '../../src/yaml/interpolate.ts';

const env = { A: 'one', B: 'two', EMPTY: '', TRICK: '${A}', DOLLAR: '$$' };

describe('interpolate', () => {
  it.each([
    ['${A}', 'one'],
    ['x-${A}-${B}', 'x-one-two'],
    ['${A:-d}', 'one'],
    ['${NOPE:-d}', 'd'],
    ['${NOPE:-}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY}', ''],
    ['${NOPE:-a:-b}', 'a:-b'],
    ['${NOPE:-http://x:1/}', 'http://x:1/'],
    ['$$', '$'],
    ['$${A}', '${A}'],
    ['$$${A}', '$one'],
    ['a$', 'a$'],
    ['^/a$', '^/a$'],
    ['$A', '$A'],
    ['${TRICK}', '${A}'],
    ['${DOLLAR}', '$$'],
  ])('%s becomes %s', (text, result) => expect(interpolate(text, env)).toEqual({ text: result }));

  it.each(['${NOPE}', '${', '${A', '${}', '${a b}', '${1A}', '${A:d}', '${toString}', '${__proto__}'])('%s is a fault', (text) => {
    expect(interpolate(text, env)).toHaveProperty('fault');
  });

  it('leaves every text without $ alone, and puts back what was escaped', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const escaped = text.replaceAll('$', '$$$$');
        const result = interpolate(escaped, {});
        return 'text' in result && result.text === text;
      }),
    );
  });

  it('is asked for when it would change anything', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('$', '{', '}', 'A', ':-', ' ')), (parts) => {
        const text = parts.join('');
        const result = interpolate(text, { A: 'x' });
        return hasPlaceholder(text) || ('text' in result && result.text === text);
      }),
    );
  });
});

describe('plainValue', () => {
  const texts = [
    '80',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '.5',
    '1.',
    '012',
    '0o17',
    '0x1F',
    '.inf',
    '-.inf',
    '.nan',
    'true',
    'True',
    'false',
    'null',
    '~',
    'no',
    'on',
    'yes',
    'Off',
    'y',
    '1m30s',
    '10.0.0.1',
    '1:30',
    '1_000',
    'nullx',
  ];
  it.each(texts)('%s is what YAML 1.2 makes of it', (text) => expect(plainValue(text)).toEqual(parse(text)));
});
