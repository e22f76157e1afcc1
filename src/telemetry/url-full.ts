// The URL of a call as a span may show it: user, password and secret query parameters are replaced by REDACTED.
// Source: semantic conventions, `url.full`; the parameter list there, plus the usual names of tokens and keys. Walks by
// hand, because the query is whatever a stranger made it.

const HIDDEN = 'REDACTED';
const NAME_MAX = 256;

const SECRET_NAMES: ReadonlySet<string> = new Set([
  'awsaccesskeyid',
  'googleaccessid',
  'signature',
  'sig',
  'token',
  'api_key',
  'api-key',
  'apikey',
  'x-api-key',
  'password',
  'passwd',
  'pwd',
  'secret',
  'client_secret',
  'authorization',
  'auth',
  'jwt',
  'session',
  'session_id',
  'sessionid',
  'assertion',
  'code',
]);

function isSecret(written: string): boolean {
  if (written.length > NAME_MAX) return false;
  let name = written.toLowerCase();
  if (name.includes('%')) {
    try {
      name = decodeURIComponent(name).toLowerCase();
    } catch {
      // Not an escape: the name is what it looks like.
    }
  }
  if (SECRET_NAMES.has(name) || name.endsWith('_token') || name.endsWith('-token')) return true;
  return name.startsWith('x-amz-') || name.startsWith('x-goog-');
}

function withoutUser(authority: string): string {
  const at = authority.lastIndexOf('@');
  if (at < 0) return authority;
  const colon = authority.indexOf(':');
  return `${colon >= 0 && colon < at ? `${HIDDEN}:${HIDDEN}` : HIDDEN}${authority.slice(at)}`;
}

/** Where the parameter that starts at `from` ends: the next `&` or `;`. */
function endOfPair(path: string, from: number): number {
  for (let i = from; i < path.length; i++) {
    const char = path.charCodeAt(i);
    if (char === 38 || char === 59) return i;
  }
  return path.length;
}

/** Path and query without secrets. */
export function redactPath(path: string): string {
  const question = path.indexOf('?');
  if (question < 0) return path;
  let out = '';
  let copied = 0;
  for (let start = question + 1; start < path.length; ) {
    const end = endOfPair(path, start);
    const pair = path.slice(start, end);
    const equals = pair.indexOf('=');
    if (equals > 0 && isSecret(pair.slice(0, equals))) {
      out += `${path.slice(copied, start + equals + 1)}${HIDDEN}`;
      copied = end;
    }
    start = end + 1;
  }
  return copied === 0 ? path : out + path.slice(copied);
}

/** `scheme://authority/path?query`, fit for a span. */
export function urlFull(scheme: string, authority: string, path: string): string {
  return `${scheme}://${withoutUser(authority)}${redactPath(path)}`;
}
