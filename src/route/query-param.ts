// One query parameter of a path, read as a browser would (application/x-www-form-urlencoded), without parsing the others.

const AMPERSAND = 38;
const EQUALS = 61;

/** The first value of the name, percent-decoded, `+` as space; undefined when missing, '' when it has no value. */
export function queryParam(path: string, name: string): string | undefined {
  const query = path.indexOf('?');
  if (query < 0) return undefined;
  const end = path.length;
  for (let start = query + 1; start < end; ) {
    let equals = -1;
    let stop = start;
    for (; stop < end; stop++) {
      const code = path.charCodeAt(stop);
      if (code === AMPERSAND) break;
      if (code === EQUALS && equals < 0) equals = stop;
    }
    const nameEnd = equals < 0 ? stop : equals;
    if (stop > start && isName(path, start, nameEnd, name)) return equals < 0 ? '' : decoded(path.slice(equals + 1, stop));
    start = stop + 1;
  }
  return undefined;
}

/** All names of the query, decoded, in order; one may come several times. */
export function paramNames(path: string): string[] {
  const query = path.indexOf('?');
  if (query < 0) return [];
  const names: string[] = [];
  for (const param of path.slice(query + 1).split('&')) {
    const equals = param.indexOf('=');
    if (param !== '') names.push(decoded(equals < 0 ? param : param.slice(0, equals)));
  }
  return names;
}

function isName(path: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length && path.startsWith(name, start)) return !isEncoded(name) || decoded(name) === name;
  // Decoding only shortens.
  if (end - start < name.length) return false;
  const raw = path.slice(start, end);
  return isEncoded(raw) && decoded(raw) === name;
}

function isEncoded(text: string): boolean {
  return text.includes('%') || text.includes('+');
}

function decoded(raw: string): string {
  if (!isEncoded(raw)) return raw;
  const text = raw.includes('+') ? raw.replaceAll('+', ' ') : raw;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return mended(text);
  }
}

/** What is no escape stays as it is; bytes that are no UTF-8 become U+FFFD. Source: WHATWG URL, percent-decode. */
function mended(text: string): string {
  return text.replace(/(?:%[0-9a-fA-F]{2})+/g, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'));
}
