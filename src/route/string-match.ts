// One comparison of one value, compiled. A value that is missing is none: no positive comparison holds for it, so every
// inverted one does; unless the rule says that a missing value is an empty one, as Envoy has it for inverted comparisons.
import type { StringMatch } from '../model/route.ts';
import type { TextMatch } from './simple-regex.ts';

/** Whether the value, undefined when missing, is as wanted. */
export type ValueMatch = (value: string | undefined) => boolean;

export function compileString(match: StringMatch, regex: (pattern: string) => TextMatch): ValueMatch {
  if (match.absentIsEmpty !== true || match.kind === 'present') return compileValue(match, regex);
  const test = compileValue(match, regex);
  return (value) => test(value ?? '');
}

function compileValue(match: StringMatch, regex: (pattern: string) => TextMatch): ValueMatch {
  const { invert } = match;
  switch (match.kind) {
    case 'exact': {
      const { value: wanted } = match;
      return invert ? (value) => value !== wanted : (value) => value === wanted;
    }
    case 'prefix': {
      const { value: wanted } = match;
      return (value) => (value?.startsWith(wanted) ?? false) !== invert;
    }
    case 'regex': {
      const test = regex(match.value);
      return (value) => (value !== undefined && test(value)) !== invert;
    }
    case 'present':
      return invert ? (value) => value === undefined : (value) => value !== undefined;
  }
}
