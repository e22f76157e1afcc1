import { describe, expect, it } from 'vitest';
import { type FaceMap, surfaceFaults, surfaceText } from './surface.ts';
import { repository } from './tree.ts';

const faces: FaceMap = new Map([...repository()].filter(([path]) => /^src\/[^/]+\.ts$/.test(path)));
const isThere = faces.has('src/index.ts');

describe('the public surface', () => {
  it.skipIf(!isThere)('is small, and every name is chosen', () => {
    expect(surfaceFaults(faces)).toEqual([]);
  });

  it.skipIf(!isThere)('is the one that was agreed on (vitest -u after a decision)', async () => {
    await expect(surfaceText(faces)).toMatchFileSnapshot('./public-names.txt');
  });
});

describe('the checker of the surface', () => {
  const names = (count: number): string => Array.from({ length: count }, (_, i) => `name${i}`).join(', ');

  it.each([
    ['41 names', `export { ${names(41)} } from './mesh/mesh.ts';`, '41 names'],
    ['a name twice', "export { a } from './x.ts';\nexport type { a } from './y.ts';", 'a is exported twice'],
    ['a star', "export * from './x.ts';", 'export *'],
    ['a default', 'export default 1;', 'default'],
    ['code', 'export const a = start();', 'only re-export'],
  ])('finds %s', (_, text, message) => {
    expect(surfaceFaults(new Map([['src/index.ts', text]])).join('\n')).toContain(message);
  });

  it('allows 40 names', () => {
    expect(surfaceFaults(new Map([['src/index.ts', `// Face.\nexport { ${names(38)}, type A, b as c } from './x.ts';`]]))).toEqual([]);
  });

  it('lists names by entry, sorted', () => {
    expect(
      surfaceText(
        new Map([
          ['src/b.ts', "export { z, y } from './x.ts';"],
          ['src/a.ts', "export type { A } from './x.ts';"],
        ]),
      ),
    ).toBe('src/a.ts\n  A\nsrc/b.ts\n  y\n  z\n');
  });
});
