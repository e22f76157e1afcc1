// Regular expressions of configs, in RE2 syntax: linear time whatever the pattern and the text, so no ReDoS. The engine
// is loaded when the first pattern turns up. A match is always of the whole text, as in Envoy's safe_regex.
import type { RE2JS } from 're2js';
import { type TextMatch, simpleRegex } from './simple-regex.ts';

export interface RegexCompiler {
  /** Throws an Error for people when `check` would complain. */
  compile(pattern: string): TextMatch;
  /** What is wrong with the pattern, or null. */
  check(pattern: string): string | null;
}

/** Longest pattern, in UTF-16 units. Source: ISTIO-SECURITY-2026-006. */
export const PATTERN_LENGTH_MAX = 1_024;

export async function loadRegex(): Promise<RegexCompiler> {
  const { RE2JS: engine } = await import('re2js');
  const parse = (pattern: string): RE2JS | string => {
    if (pattern.length > PATTERN_LENGTH_MAX) return `the pattern has ${pattern.length} characters, more than ${PATTERN_LENGTH_MAX}`;
    try {
      return engine.compile(pattern);
    } catch (error) {
      return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    }
  };
  return {
    compile: (pattern) => {
      const simple = pattern.length > PATTERN_LENGTH_MAX ? null : simpleRegex(pattern);
      if (simple !== null) return simple;
      const parsed = parse(pattern);
      if (typeof parsed === 'string') throw new Error(`${JSON.stringify(pattern)} is not a regular expression in RE2 syntax: ${parsed}`);
      return (text) => parsed.testExact(text);
    },
    check: (pattern) => {
      if (pattern.length <= PATTERN_LENGTH_MAX && simpleRegex(pattern) !== null) return null;
      const parsed = parse(pattern);
      return typeof parsed === 'string' ? parsed : null;
    },
  };
}
