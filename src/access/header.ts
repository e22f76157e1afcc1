// A condition on a header that may come several times, or be a list in one line: who sends `good` and then `evil` must not get
// by a rule against `evil`, because the application may look at either. The value of Istio is all of them, joined by commas; a
// rule that forbids looks at each by itself, too, and a rule that lets in wants every one of them.
import type { ValueMatch } from '../model/security.ts';
import type { AccessRequest } from './request.ts';
import { anyText, type TextTest } from './text.ts';

interface HeaderCondition {
  readonly name: string;
  readonly test: (request: AccessRequest) => boolean;
}

/** What `name` says, copy by copy; null when it is not there. */
function copiesOf({ headers }: AccessRequest, name: string): string[] | null {
  let copies: string[] | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const own = headers[i] as string;
    if (own.length !== name.length || (own !== name && own.toLowerCase() !== name)) continue;
    const value = (headers[i + 1] as string).trim();
    if (copies === null) copies = [value];
    else copies.push(value);
  }
  return copies;
}

/** `key`: as the policy names it. `name`: of the header, in lower case. */
export function headerConditions(key: string, name: string, { values, notValues }: ValueMatch, isWide: boolean): HeaderCondition[] {
  const conditions: HeaderCondition[] = [];
  if (values.length > 0) {
    const test = anyText(values);
    const takesEmpty = isWide && values.includes('*');
    const isMet = (request: AccessRequest): boolean => {
      const copies = copiesOf(request, name);
      if (copies === null) return false;
      return takesEmpty || (isWide ? someReading(copies, test) : everyCopy(copies, test));
    };
    conditions.push({ name: key, test: isMet });
  }
  if (notValues.length > 0) {
    const test = anyText(notValues);
    const isMet = (request: AccessRequest): boolean => {
      const copies = copiesOf(request, name);
      if (copies === null) return true;
      return isWide ? !everyCopy(copies, test) : !someReading(copies, test);
    };
    conditions.push({ name: `not ${key}`, test: isMet });
  }
  return conditions;
}

function everyCopy(copies: readonly string[], test: TextTest): boolean {
  if (copies.length === 1) return test(copies[0] as string);
  return test(copies.join(',')) && copies.every(test);
}

/** The whole, a copy, or an element of a list. */
function someReading(copies: readonly string[], test: TextTest): boolean {
  const joined = copies.join(',');
  if (test(joined)) return true;
  if (!joined.includes(',')) return false;
  return copies.some(test) || joined.split(',').some((one) => test(one.trim()));
}
