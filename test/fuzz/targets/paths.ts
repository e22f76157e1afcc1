// Paths of calls: matched, rewritten, and their parameters read.
import type { PathMatch } from '../../../src/model/route.ts';
import { compilePath } from '../../../src/route/path-match.ts';
import { compileRewrite } from '../../../src/route/path-rewrite.ts';
import { paramNames, queryParam } from '../../../src/route/query-param.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { type FuzzTarget, hold, partsOf } from '../target.ts';

type Kind = Exclude<PathMatch['kind'], 'regex'>;

/** By the words of the specifications, without regard to speed. */
function matches(kind: Kind, value: string, path: string): boolean {
  const bare = path.replace(/\?.*$/s, '');
  if (value.includes('?')) return false;
  if (kind === 'exact') return bare === value;
  if (kind === 'prefix') return value === '' || value === '/' || bare.startsWith(value);
  const wanted = value.endsWith('/') ? value.slice(0, -1) : value;
  return wanted === '' || bare === wanted || bare.startsWith(`${wanted}/`);
}

export const pathMatchTarget: FuzzTarget = {
  name: 'path-match',
  what: 'a path matches as the slow reading of the specifications says',
  seeds: ['/a|/a/b', '/a/|/a?x=/a/', '/a?b|/a?b', '|/', '/|/x', '/items|/items?id=1', '/A|/a'],
  words: ['/items', '?', '/', '|'],
  start: async () => {
    const { compile } = await loadRegex();
    return (input) => {
      const [value = '', rest = ''] = partsOf(input, 2);
      const path = `/${rest}`;
      for (const kind of ['exact', 'prefix', 'pathPrefix'] as const) {
        for (const invert of [false, true]) {
          const test = compilePath({ kind, value, invert }, compile);
          const expected = matches(kind, value, path) !== invert;
          hold((test?.(path) ?? true) === expected, `${kind} ${invert ? 'inverted ' : ''}is ${expected} by the specification`);
        }
        if (kind === 'pathPrefix') continue;
        const folded = compilePath({ kind, value, invert: false, ignoreCase: true }, compile);
        const expected = matches(kind, value.toLowerCase(), path.toLowerCase());
        hold((folded?.(path) ?? true) === expected, `${kind} without case is ${expected} by the specification`);
      }
    };
  },
};

export const pathRewriteTarget: FuzzTarget = {
  name: 'path-rewrite',
  what: 'a rewritten path begins with a slash and keeps its query; what lacks the prefix stays as it is',
  seeds: ['/a|/b|/a/c?q=1', '/a/|/|/a', '/|x|/y', '/A|/b|/a', '|/full?x=1|/a?y=2'],
  words: ['/a', '?', '//', '|'],
  start: async () => {
    const { replacer } = await loadRegex();
    return (input) => {
      const [prefix = '', value = '', rest = ''] = partsOf(input, 3);
      const path = `/${rest}`;
      const query = path.includes('?') ? path.slice(path.indexOf('?')) : '';
      for (const by of ['text', 'segment'] as const) {
        const result = compileRewrite({ kind: 'prefix', by, prefix, value }, replacer)(path);
        hold(result.startsWith('/'), `by ${by} there is no slash in front: ${result}`);
        if (!prefix.includes('?')) hold(result.endsWith(query), `by ${by} the query is lost: ${result}`);
        if (!path.toLowerCase().startsWith(prefix.toLowerCase().replace(/\/$/, '')))
          hold(result === path, `by ${by} it is changed: ${result}`);
      }
      const full = compileRewrite({ kind: 'full', value }, replacer)(path);
      hold(full.startsWith('/'), `there is no slash in front: ${full}`);
      hold(value.includes('?') || full.endsWith(query), `the query is lost: ${full}`);
    };
  },
};

export const queryTarget: FuzzTarget = {
  name: 'query',
  what: 'query parameters are read as a browser reads them',
  seeds: ['a|/x?a=1&b=2', 'a b|/?a+b=%20', 'a|/?&&a', '\u00e9|/?%C3%A9=1', 'a|/?a=%zz%c3', 'x|/p?=1&x==2'],
  words: ['%', '%2', '%26', '%3D', '%C3', '%A9', '%FF', '+', '&', '=', '?', 'a=', '#'],
  start: () =>
    Promise.resolve((input) => {
      const [name = '', path = ''] = partsOf(input, 2);
      const value = queryParam(path, name);
      const names = paramNames(path);
      // Through a URL, because URLSearchParams alone spoils what is not ASCII beside a percent sign; what ends a URL or is cut
      // from it is not tried.
      if (!path.includes('?') || /[#\0- ]/.test(path) || !(path + name).isWellFormed()) return;
      const expected = new URL(`http://a/${path.slice(path.indexOf('?'))}`).searchParams;
      hold((value ?? null) === expected.get(name), `the browser reads ${JSON.stringify(expected.get(name))}, we ${JSON.stringify(value)}`);
      hold(JSON.stringify(names) === JSON.stringify([...expected.keys()]), `the browser reads other names than ${JSON.stringify(names)}`);
    }),
};
