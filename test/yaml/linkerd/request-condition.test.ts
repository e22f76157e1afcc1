import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestMatchSpec } from '../../../src/yaml/linkerd/profile-spec.ts';
import { matchesOf, wholePath } from '../../../src/yaml/linkerd/request-condition.ts';
import { type Asked, checkRegex, takes } from '../takes.ts';

/** As the proxy does it: anchors where there are none, then a search anywhere. */
function linkerdTakes(pathRegex: string, path: string): boolean {
  // In these classes the first bracket needs a backslash in JavaScript.
  const pattern = pathRegex.trim().replaceAll('[](]', '[\\](]').replaceAll('[^])]', '[^\\])]');
  return new RegExp(`${pattern.startsWith('^') ? '' : '^'}${pattern}${pattern.endsWith('$') ? '' : '$'}`, 's').test(path);
}

/** All that is named must hold. */
function holds(
  { all, any: some, not, method = '', pathRegex = '' }: RequestMatchSpec,
  asked: Required<Pick<Asked, 'method' | 'path'>>,
): boolean {
  return (
    (all ?? []).every((one) => holds(one, asked)) &&
    (some === undefined || some.some((one) => holds(one, asked))) &&
    (not === undefined || !holds(not, asked)) &&
    (method === '' || method.toUpperCase() === asked.method) &&
    (pathRegex === '' || linkerdTakes(pathRegex, asked.path))
  );
}

const METHODS = ['GET', 'POST', 'PUT'];
const PATHS = ['/', '/a', '/b', '/a/b', '/ab'];

const { condition } = fc.letrec<{ condition: RequestMatchSpec }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc.record({ method: fc.constantFrom('GET', 'post', 'PUT') }),
    fc.record({ pathRegex: fc.constantFrom('/a', '/b', '/a.*', '^/ab$', '/a|/b') }),
    fc.record({ method: fc.constantFrom('GET', 'POST'), pathRegex: fc.constantFrom('/a', '/b.*') }),
    fc.record({ all: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));

describe('conditions of a ServiceProfile', () => {
  it('become matches that take the same calls', () => {
    let kept = 0;
    fc.assert(
      fc.property(condition, (spec) => {
        const matches = matchesOf(spec);
        if ('fault' in matches) return;
        kept++;
        for (const method of METHODS) {
          for (const path of PATHS) {
            const taken = matches.length > 0 && takes(matches, { method, path });
            expect([method, path, taken]).toEqual([method, path, holds(spec, { method, path })]);
          }
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
    expect(kept).toBeGreaterThan(700);
  });

  it('become patterns of the whole path', () => {
    const piece = fc.constantFrom(
      '/a',
      '/b',
      '|',
      '(',
      ')',
      '^',
      '$',
      '.*',
      'x?',
      '\\$',
      '\\^',
      '[|]',
      '[^a]',
      '[](]',
      '[^])]',
      '\\\\',
      ' ',
    );
    let kept = 0;
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const pattern = pieces.join('');
        // What Linkerd cannot read is an error, and never comes this far.
        if (pattern.trim() === '' || checkRegex(pattern.trim()) !== null || checkRegex(wholePath(pattern)) !== null) return;
        kept++;
        const match = { path: { kind: 'regex', value: wholePath(pattern), invert: false }, headers: {}, queryParams: {} } as const;
        for (const path of [...PATHS, '/$', '/a$', '/a$/b', '/x', '/bx', '/a|', '/|', '/^', '/a\\', '/a x']) {
          expect([pattern, path, takes([match], { path })]).toEqual([pattern, path, linkerdTakes(pattern, path)]);
        }
      }),
      { numRuns: 1000, seed: 1 },
    );
    expect(kept).toBeGreaterThan(300);
  });

  it.each([
    [{ method: 'get' }, [{ method: { kind: 'exact', value: 'GET', invert: false }, headers: {}, queryParams: {} }]],
    [{ not: { method: 'GET' } }, [{ method: { kind: 'exact', value: 'GET', invert: true }, headers: {}, queryParams: {} }]],
    [{ all: [{ method: 'GET' }, { not: { method: 'GET' } }] }, []],
    [{ all: [{ method: 'GET' }, { method: 'POST' }] }, []],
    [{ any: [] }, []],
    [{ all: [] }, [{ headers: {}, queryParams: {} }]],
    [
      { not: { any: [{ method: 'GET' }, { method: 'PUT' }] } },
      [{ method: { kind: 'regex', value: 'GET|PUT', invert: true }, headers: {}, queryParams: {} }],
    ],
  ])('%j', (spec, matches) => {
    expect(matchesOf(spec)).toEqual(matches);
  });

  it.each([
    [{ all: [{ pathRegex: '/a.*' }, { pathRegex: '.*b' }] }, 'two things of the path'],
    [{ all: [{ pathRegex: '/a.*' }, { not: { pathRegex: '/ab' } }] }, 'two things of the path'],
    [{ all: Array.from({ length: 7 }, (_, i) => ({ any: [{ method: `A${i}` }, { pathRegex: `/${i}` }] })) }, 'more than 64 alternatives'],
  ])('%j cannot be kept', (spec, fault) => {
    expect(matchesOf(spec)).toEqual({ fault: expect.stringContaining(fault) as string });
  });
});
