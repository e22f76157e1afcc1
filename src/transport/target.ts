// Where a fetch goes: origin, path and the URL that the answer will show. What needs no normalisation is taken as it
// stands; everything else goes through `URL`, which costs ten times as much.

export interface Target {
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** Without fragment. */
  readonly href: string;
}

/**
 * Scheme, host, port, path and query that `new URL` would leave alone: a host of lower-case labels whose last one is no
 * number (it would be an IPv4 address), no punycode to check, no dot segment however it is written, nothing to encode.
 */
const PLAIN_URL =
  /^(https?):\/\/((?:(?!xn--)[a-z0-9-]+\.)*(?!xn--)[a-z][a-z0-9-]*)(?::([1-9]\d{0,4}))?(\/(?:[A-Za-z0-9_~!$&'()*+,;=:@/-]|%(?!2[eE])[0-9A-Fa-f]{2}|\.(?![./]|$|\?))*(?:\?(?:[A-Za-z0-9_.~!$&()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+)?)?$/;

const PORT_MAX = 65_535;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

function plainTarget(input: string): Target | null {
  const plain = PLAIN_URL.exec(input);
  if (plain === null) return null;
  const [, scheme = '', host = '', port, path] = plain;
  if (port !== undefined && (Number(port) > PORT_MAX || DEFAULT_PORTS[scheme] === port)) return null;
  const origin = port === undefined ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
  return path === undefined ? { origin, path: '/', href: `${input}/` } : { origin, path, href: input };
}

/** Throws a TypeError as fetch does. The origin is `null` for what no mesh carries, such as `data:`. */
export function parseTarget(input: string | URL): Target {
  const plain = typeof input === 'string' ? plainTarget(input) : null;
  if (plain !== null) return plain;
  let url: URL;
  try {
    url = new URL(input);
  } catch (error) {
    throw new TypeError(`Failed to parse URL from ${String(input)}`, { cause: error });
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${url.origin}`);
  }
  const hash = url.href.indexOf('#');
  const origin = url.protocol === 'http:' || url.protocol === 'https:' ? url.origin : 'null';
  return { origin, path: url.pathname + url.search, href: hash < 0 ? url.href : url.href.slice(0, hash) };
}
