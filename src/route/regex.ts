// Regular expressions of configs, in RE2 syntax: linear time whatever the pattern and the text, so no ReDoS. The engine
// is loaded when the first pattern turns up. A match is always of the whole text, as in Envoy's safe_regex; a rewrite is
// of every place that matches, as in its regex_rewrite.
import type { RE2JS } from 're2js';
import { type TextMatch, simpleRegex } from './simple-regex.ts';

/** Compiles a rewrite: every match of the pattern becomes the substitution, in which `\1` is the first group and `\0` the match. */
export type Replacer = (pattern: string, substitution: string) => (text: string) => string;

export interface RegexCompiler {
  /** Throws an Error for people when `check` would complain. */
  compile(pattern: string): TextMatch;
  /** What is wrong with the pattern, or null. */
  check(pattern: string): string | null;
  /** Throws an Error for people when the pattern or the substitution is wrong. */
  readonly replacer: Replacer;
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
    replacer: (pattern, substitution) => {
      const parsed = parse(pattern);
      const pieces = typeof parsed === 'string' ? parsed : substitutionPieces(substitution, parsed.groupCount());
      if (typeof parsed === 'string' || typeof pieces === 'string') {
        throw new Error(`${JSON.stringify(pattern)} cannot be replaced by ${JSON.stringify(substitution)}: ${String(pieces)}`);
      }
      return (text) => replaced(parsed, pieces, text);
    },
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

/** Text and numbers of groups, or what is wrong. Source: RE2 `Rewrite`: one digit after the backslash, or a second backslash. */
function substitutionPieces(substitution: string, groups: number): readonly (string | number)[] | string {
  const pieces: (string | number)[] = [];
  let text = '';
  for (let i = 0; i < substitution.length; i++) {
    const char = substitution.charAt(i);
    if (char !== '\\') {
      text += char;
      continue;
    }
    const next = substitution.charAt(++i);
    if (next === '\\') text += next;
    else if (!/^\d$/.test(next)) return `a backslash stands before a digit or another backslash, not before ${JSON.stringify(next)}`;
    else if (Number(next) > groups) return `the substitution names group ${next}, the pattern has ${groups}`;
    else {
      pieces.push(text, Number(next));
      text = '';
    }
  }
  pieces.push(text);
  return pieces;
}

/** Source: RE2 `GlobalReplace`, which takes no empty match right behind another one, as JavaScript would. */
function replaced(pattern: RE2JS, pieces: readonly (string | number)[], text: string): string {
  const matcher = pattern.matcher(text);
  let output = '';
  let end = 0;
  let isFirst = true;
  while (matcher.find()) {
    const start = matcher.start();
    if (!isFirst && matcher.end() === start && start === end) continue;
    isFirst = false;
    output += text.slice(end, start);
    for (const piece of pieces) output += typeof piece === 'string' ? piece : (matcher.group(piece) ?? '');
    end = matcher.end();
  }
  return output + text.slice(end);
}
