// Whatever the text: documents or positioned issues, soon, and no prototype touched.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParsedText } from '../../src/yaml/document.ts';
import { documentParser } from '../../src/yaml/document.ts';
import { positionAt, sourceText } from '../../src/yaml/frame.ts';
import { offsetOf } from '../../src/yaml/located.ts';
import { toValue } from '../../src/yaml/value.ts';
import { heavyTexts, parseMs } from './heavy-texts.ts';

const parser = await documentParser();

function parse(text: string): ParsedText {
  return parser(sourceText('f', text));
}

function values(text: string): unknown[] {
  const { documents, issues } = parse(text);
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  return documents.map((document) => toValue(document, {}, () => {}));
}

describe('documents', () => {
  it.each<[string, string, unknown[]]>([
    ['nothing', '', []],
    ['a comment', '# a\n', []],
    ['empty documents', '---\n---\n...\n', []],
    ['two', 'a: 1\n---\nb: [x, null]\n', [{ a: 1 }, { b: ['x', null] }]],
    ['JSON with tabs', '{\n\t"a": [1, true, null],\n\t"b": "x"\n}', [{ a: [1, true, null], b: 'x' }]],
    ['a byte order mark', '\ufeffa: 1', [{ a: 1 }]],
    ['CRLF', 'a: 1\r\nb: 2\r\n', [{ a: 1, b: 2 }]],
    ['Norway', 'no: no\non: off\nyes: y', [{ no: 'no', on: 'off', yes: 'y' }]],
    ['numbers', '[012, 0o10, 0x10, 1e3, 1_0]', [[12, 8, 16, 1000, '1_0']]],
    ['keys that look like numbers', '1.10: a\n503: b\n"1e1": c', [{ '1.10': 'a', '503': 'b', '1e1': 'c' }]],
    ['an anchor used twice', 'a: &x { b: 1 }\nc: *x\nd: [*x, *x]', [{ a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }, { b: 1 }] }]],
    ['an anchor set twice', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', [{ a: 1, b: 1, c: 2, d: 2 }]],
    ['a merge', 'a: &x { b: 1, c: 2 }\nd: { <<: *x, b: 3 }', [{ a: { b: 1, c: 2 }, d: { b: 3, c: 2 } }]],
    ['merges', 'a: &x { b: 1 }\nc: &y { b: 2, d: 3 }\ne: { <<: [*x, *y] }', [{ a: { b: 1 }, c: { b: 2, d: 3 }, e: { b: 1, d: 3 } }]],
    ['a quoted merge key', 'a: { "<<": b }', [{ a: { '<<': 'b' } }]],
    ['a hundred aliases', `a: &x 1\nb: [${'*x, '.repeat(150)}]`, [{ a: 1, b: Array(150).fill(1) }]],
  ])('%s', (_name, text, expected) => expect(values(text)).toEqual(expected));

  it('makes objects without a prototype, each its own', () => {
    const [{ a, b }] = values('a: &x { c: 1 }\nb: *x') as [{ a: object; b: object }];
    expect(Object.getPrototypeOf(a)).toBeNull();
    expect(a).not.toBe(b);
  });

  it('knows where every key and value stands', () => {
    const text = 'a:\n  - b: 1\n    c: &x\n      d: 2\n  - *x\n';
    const [root] = parse(text).documents;
    const at = (path: (string | number)[], part: 'key' | 'value'): string => {
      const { line, column } = positionAt(sourceText('f', text), offsetOf(root as NonNullable<typeof root>, path, part));
      return `${line}:${column}`;
    };
    expect(at([], 'value')).toBe('1:1');
    expect(at(['a'], 'key')).toBe('1:1');
    expect(at(['a', 0, 'b'], 'key')).toBe('2:5');
    expect(at(['a', 0, 'b'], 'value')).toBe('2:8');
    expect(at(['a', 0, 'c', 'd'], 'value')).toBe('4:10');
    expect(at(['a', 1, 'd'], 'value'), 'where the anchor stands').toBe('4:10');
    expect(at(['a', 0, 'nope'], 'value'), 'the entry that should hold it').toBe('2:5');
    expect(at(['a', 0, 'c', 'nope', 'more'], 'value'), 'the key that should hold it').toBe('3:5');
  });
});

const MIB = 1_048_576;
const laughs = (wide: number, deep: number): string =>
  `a0: &a0 lol\n${Array.from({ length: deep }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(wide).fill(`*a${i}`).join(', ')}]`).join('\n')}`;

describe('hostile texts', () => {
  it.each<[name: string, text: string, message: RegExp]>([
    ['a billion laughs', laughs(9, 9), /aliases of this file stand for too much/],
    ['a deep chain of aliases', laughs(1, 5_000), /more than 100 levels of nesting/],
    ['a hundred thousand [', '['.repeat(100_000), /more than 100 levels of nesting/],
    ['a hundred thousand {a: ', '{a: '.repeat(100_000), /more than 100 levels of nesting/],
    ['nested dashes', '- '.repeat(100_000), /more than 100 levels of nesting/],
    ['nested question marks', '? '.repeat(100_000), /more than 100 levels of nesting/],
    ['deep indentation', Array.from({ length: 1_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /more than 100 levels of nesting/],
    ['five megabytes', 'a: 1\n'.repeat(MIB), /longer than 1 MiB/],
    ['a MiB of two-byte letters', `a: ${'é'.repeat(600_000)}`, /longer than 1 MiB/],
    ['too many documents', '---\na\n'.repeat(1_001), /more than 1000 documents/],
    ['merge of a prototype', 'a: &a { __proto__: { x: 1 } }\nb: { <<: *a }', /__proto__ is not allowed as a key/],
    ['quoted __proto__', '"__proto__": { polluted: true }', /__proto__ is not allowed as a key/],
    ['escaped __proto__', '"\\u005f_proto__": { polluted: true }', /__proto__ is not allowed as a key/],
    ['alias of a prototype', 'a: &x __proto__\n? *x\n: 1', /a key must be a text/],
    ['an endless alias', 'a: &a [*a]', /stands inside what it names/],
    [
      'merges of merges',
      `a: &a {${Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join(', ')}}\nb:\n${'  - <<: *a\n'.repeat(10)}`,
      /stand for too much/,
    ],
  ])('%s', (_name, text, message) => {
    const { documents, issues } = parse(text);
    expect(documents).toEqual([]);
    expect(issues[0]?.message).toMatch(message);
    expect(issues.length).toBeLessThanOrEqual(10);
    expect(({} as { polluted?: boolean; x?: number }).polluted).toBeUndefined();
  });

  it('says where the depth was reached', () => {
    const [issue] = parse('['.repeat(100_000)).issues;
    expect(issue?.offset).toBeGreaterThan(90);
    expect(issue?.offset).toBeLessThan(110);
  });

  it.each(heavyTexts(128 * 1_024))('128 KiB of %s take a second at most', (_name, text) => {
    expect(parseMs(text)).toBeLessThan(1_000);
  });

  it('allows a hundred levels', () => {
    expect(parse(`${'['.repeat(99)}${']'.repeat(99)}`).issues).toEqual([]);
    expect(parse(`${'['.repeat(103)}${']'.repeat(103)}`).issues.length).toBe(1);
  });

  it('puts the trace limit back', () => {
    const before = Error.stackTraceLimit;
    parse('{'.repeat(1_000));
    expect(Error.stackTraceLimit).toBe(before);
  });

  const pieces = [
    'a',
    ':',
    ': ',
    ' ',
    '\n',
    '- ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&a ',
    '*a',
    '"',
    "'",
    '|',
    '>',
    '#',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '!',
    '!!int ',
    '<<: ',
    '~',
    '\t',
    '\\',
    '\u0000',
    '\u001f',
    '\u0002',
    '\ufeff',
    '0',
    '.nan',
    '__proto__',
    '${',
    '\r',
  ];
  it('never throws, and every issue lies in the text', () => {
    const texts = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { documents, issues } = parse(text);
        for (const document of documents) toValue(document, {}, () => {});
        expect(({} as { a?: unknown }).a).toBeUndefined();
        return issues.every(({ offset, message }) => offset >= 0 && offset <= text.length + 1 && message !== '');
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads back every value that JSON can hold', () => {
    const json = fc
      .jsonValue({ depthSize: 'small' })
      // A dollar may begin a variable, and two of them mean one.
      .filter((value) => value !== null && !/__proto__|constructor|prototype|\$\$|\$\{/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(json, (value) => {
        expect(values(JSON.stringify(value, null, 2))).toEqual([JSON.parse(JSON.stringify(value))]);
      }),
    );
  });
});
