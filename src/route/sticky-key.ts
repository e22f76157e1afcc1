// The key of a sticky route, hashed where it stands in the header or cookie, without cutting it out.
import { headerOf } from '../core/call.ts';
import type { StickyPolicy } from '../model/route.ts';
import { hashOf } from './sticky-draw.ts';

/** No key. Hashes are whole numbers. */
export const NO_KEY = 0.5;

/** Takes the headers of a call; gives the hash of the key, or NO_KEY when it is missing or empty. */
export function stickyKey(policy: StickyPolicy): (headers: readonly string[]) => number {
  if ('header' in policy) {
    const { header } = policy;
    return (headers) => {
      const value = headerOf(headers, header);
      return value === undefined || value === '' ? NO_KEY : hashOf(value);
    };
  }
  const { cookie } = policy;
  return (headers) => {
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      if (name.length !== 6 || (name !== 'cookie' && name.toLowerCase() !== 'cookie')) continue;
      const hash = cookieHash(headers[i + 1] as string, cookie);
      if (hash !== NO_KEY) return hash;
    }
    return NO_KEY;
  };
}

const EQUALS = 61;

/** Pairs `name=value` between semicolons; names are case-sensitive, blanks around both do not count. Source: RFC 6265 §5.4. */
function cookieHash(text: string, cookie: string): number {
  for (let start = 0; start < text.length; ) {
    let stop = text.indexOf(';', start);
    if (stop < 0) stop = text.length;
    while (isBlank(text.charCodeAt(start))) start++;
    if (text.startsWith(cookie, start)) {
      let at = start + cookie.length;
      while (isBlank(text.charCodeAt(at))) at++;
      if (text.charCodeAt(at) === EQUALS) {
        at++;
        let end = stop;
        while (isBlank(text.charCodeAt(at))) at++;
        while (end > at && isBlank(text.charCodeAt(end - 1))) end--;
        if (end > at) return hashOf(text, at, end);
      }
    }
    start = stop + 1;
  }
  return NO_KEY;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
