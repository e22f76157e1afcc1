// Patterns of configs: what stands in for the engine must agree with it.
import { literalTexts } from '../../../src/route/literal-texts.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { simpleRegex } from '../../../src/route/simple-regex.ts';
import { type FuzzTarget, hold, partsOf } from '../target.ts';

const WORDS = ['.*', '.+', '(?i)', '(?:', '[^', '[a-z]', '{2}', '{0,1}', '\\Q', '\\E', '\\d', '\\.', '^', '$', '(a|b)', '\\x41', '|'];

export const regexTarget: FuzzTarget = {
  name: 'regex',
  what: 'a pattern is read as RE2 reads it: by string operations, by the literal texts that it must hold, and not at all when it is wrong',
  seeds: ['/v1/.*|/v1/items', '.*mobile.*|a mobile b', '/a/.+/c|/a/b/c', '^a\\.b$|a.b', '(ab)?c[^x]|abcd', 'x{2}(?:y|z)|xxy'],
  words: WORDS,
  lengthMax: 80,
  start: async () => {
    const { RE2JS } = await import('re2js');
    const regex = await loadRegex();
    return (input) => {
      // The last bar, because a pattern has bars of its own.
      const bar = Math.max(0, input.lastIndexOf('|'));
      const [text, pattern] = [input.slice(bar + 1), input.slice(0, bar)];
      const fault = regex.check(pattern);
      let engine: ReturnType<typeof RE2JS.compile> | null = null;
      try {
        engine = RE2JS.compile(pattern);
      } catch {}
      hold((fault === null) === (engine !== null), `RE2 ${engine === null ? 'refuses' : 'takes'} the pattern; we say ${String(fault)}`);
      if (engine === null) return;
      const expected = engine.testExact(text);
      const simple = simpleRegex(pattern);
      hold(simple === null || simple(text) === expected, `RE2 says ${expected}, the string operations do not`);
      hold(regex.compile(pattern)(text) === expected, `RE2 says ${expected}, the compiled pattern does not`);
      const { head, parts } = literalTexts(pattern);
      if (!expected) return;
      hold(text.startsWith(head), `the text matches, and does not begin with ${JSON.stringify(head)}`);
      for (const part of parts) hold(text.includes(part), `the text matches, and does not hold ${JSON.stringify(part)}`);
    };
  },
};

export const replaceTarget: FuzzTarget = {
  name: 'replace',
  what: 'a rewrite by pattern either is refused when it is compiled, or gives a text for every text',
  seeds: ['a(b)c|x\\1y|abcabc', '^/v1|/v2|/v1/x', 'x*|-|axb', '|-|abc', '(a)|\\0\\0|bab'],
  words: [...WORDS, '\\0', '\\1', '\\9', '\\\\'],
  lengthMax: 80,
  start: async () => {
    const { replacer } = await loadRegex();
    return (input) => {
      const [pattern = '', substitution = '', text = ''] = partsOf(input, 3);
      let replace: (text: string) => string;
      try {
        replace = replacer(pattern, substitution);
      } catch (error) {
        hold(error instanceof Error && error.message.includes('cannot be replaced'), `refuses by ${String(error)}`);
        return;
      }
      const result = replace(text);
      hold(!substitution.includes('\\') || typeof result === 'string', 'gives no text');
      if (!substitution.includes('\\') && /^[a-z]+$/.test(pattern)) {
        hold(result === text.replaceAll(pattern, () => substitution), 'differs from a plain replacement');
      }
    };
  },
};
