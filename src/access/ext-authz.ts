// What external authorizers have in common, over HTTP and gRPC: which headers they see, and what of their answers is obeyed. They
// may change a request, but not how its bytes are read, nor for whom it is.
import type { ExtensionProvider } from '../model/extension-provider.ts';
import { textTest } from './text.ts';
import type { AuthorizerAnswer } from './check.ts';
import type { AccessRequest, PeekedBody } from './request.ts';

type Pair = readonly [name: string, value: string];

/** Framing and routing are not theirs to change. */
const FIXED: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'keep-alive',
  'proxy-connection',
]);
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
/** Nothing that ends a line. Source: CVE-2024-45808. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Names in lower case; without what may not be changed, or cannot be a header. */
export function usablePairs(pairs: readonly Pair[]): Pair[] {
  return pairs.flatMap(([written, value]): Pair[] => {
    const name = written.toLowerCase();
    return NAME.test(name) && !FIXED.has(name) && VALUE.test(value) ? [[name, value]] : [];
  });
}

/** Whether a header is named, exactly or by a wildcard. In lower case. */
export function namedHeaders(names: readonly string[]): (name: string) => boolean {
  const tests = names.map((name) => textTest(name.toLowerCase()));
  return (name) => tests.some((test) => test(name));
}

/** By name in lower case, every value of each, joined. Source: CVE-2021-32777, where only the last was seen. */
export function headersOf({ headers }: AccessRequest): Map<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    const known = found.get(name);
    found.set(name, known === undefined ? value : `${known}${name === 'cookie' ? '; ' : ','}${value}`);
  }
  return found;
}

/** Whether it sees the beginning of a body alone. Source: Envoy. */
export const PARTIAL_HEADER = 'x-envoy-auth-partial-body';

const TOO_LARGE: AuthorizerAnswer = Object.freeze({ kind: 'deny', status: 413, headers: [], body: 'Payload Too Large' });

/** What the authorizer is to see of the body; null: nothing. Or what the caller is answered, because there is too much of it. */
export async function checkedBody({ body }: ExtensionProvider, { content }: AccessRequest): Promise<PeekedBody | null | AuthorizerAnswer> {
  if (body === undefined || content === undefined) return null;
  const peeked = await content.peek(body.bytesMax);
  return peeked.isWhole || body.allowsPartial ? peeked : TOO_LARGE;
}

/** A status that can stand in an answer. */
export function statusOf(status: number, otherwise: number): number {
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : otherwise;
}
