// Every code that a finding about a configuration may carry. This table is the type, the docs pages (docs/codes) and what
// `inmesh check --explain` prints; a test holds them equal.
import type { CodeEntry, CodeName } from './code.ts';
import { ISTIO_CODES } from './codes-istio.ts';
import { OWN_CODES } from './codes-own.ts';

export const CODES: Readonly<Record<CodeName, CodeEntry>> = Object.freeze({ ...OWN_CODES, ...ISTIO_CODES });

export function isCodeName(text: string): text is CodeName {
  return Object.hasOwn(CODES, text);
}
