import { describe, expect, it } from 'vitest';
import { computedImportFaults, floorFaults } from './floors.ts';
import { repository } from './tree.ts';

describe('floors', () => {
  it('hold in src', () => {
    expect(floorFaults(repository())).toEqual([]);
  });

  it('name every imported module', () => {
    expect(computedImportFaults(repository())).toEqual([]);
  });
});

describe('the floor checker', () => {
  const target = (path: string): [string, string] => [path, '// Target.\nexport const x = 1;\n'];
  const check = (from: string, statement: string, to: string): string[] =>
    floorFaults(
      new Map([
        [from, statement],
        [to, target(to)[1]],
      ]),
    );

  it.each([
    ['a neighbour', 'src/route/a.ts', "import { x } from '../balance/b.ts';", 'src/balance/b.ts', 'route must not import balance'],
    ['a type', 'src/model/a.ts', "import type { x } from '../core/b.ts';", 'src/core/b.ts', 'model must not import core'],
    ['a type in a list', 'src/core/a.ts', "import { type x } from '../mesh/b.ts';", 'src/mesh/b.ts', 'core must not import mesh'],
    ['a lazy import', 'src/yaml/a.ts', "const x = await import('../core/b.ts');", 'src/core/b.ts', 'yaml must not import core'],
    ['an import type', 'src/yaml/a.ts', "type X = import('../core/b.ts').X;", 'src/core/b.ts', 'yaml must not import core'],
    ['a re-export', 'src/core/a.ts', "export * from '../yaml/b.ts';", 'src/yaml/b.ts', 'core must not import yaml'],
    ['a re-export of names', 'src/core/a.ts', "export { x as y } from '../yaml/b.ts';", 'src/yaml/b.ts', 'core must not import yaml'],
    ['a bare import', 'src/telemetry/a.ts', "import '../transport/b.ts';", 'src/transport/b.ts', 'telemetry must not import transport'],
    ['mesh to rollout', 'src/mesh/a.ts', "import { x } from '../rollout/b.ts';", 'src/rollout/b.ts', 'mesh must not import rollout'],
    ['the face to cli', 'src/index.ts', "export { x } from './cli/b.ts';", 'src/cli/b.ts', 'face must not import cli'],
    ['a way out of src', 'src/cli/a.ts', "import { x } from '../../test/b.ts';", 'test/b.ts', 'outside src/'],
    ['a folder without a floor', 'src/attic/a.ts', "import { x } from '../model/b.ts';", 'src/model/b.ts', 'has no floor'],
    ['a missing file', 'src/cli/a.ts', "import { x } from './gone.ts';", 'src/model/b.ts', 'does not exist'],
    ['a missing extension', 'src/cli/a.ts', "import { x } from '../model/b';", 'src/model/b.ts', '.ts extension'],
  ])('finds %s', (_, from, statement, to, message) => {
    expect(check(from, statement, to).join('\n')).toContain(message);
  });

  it.each([
    ['below', 'src/route/a.ts', "import { x } from '../core/b.ts';", 'src/core/b.ts'],
    ['beside', 'src/route/a.ts', "import { x } from './b.ts';", 'src/route/b.ts'],
    ['anything from cli', 'src/cli/a.ts', "import { x } from '../rollout/b.ts';", 'src/rollout/b.ts'],
    ['in a comment', 'src/model/a.ts', "// import { x } from '../core/b.ts';", 'src/core/b.ts'],
    ['in a string', 'src/model/a.ts', 'const x = "import \'../core/b.ts\'";', 'src/core/b.ts'],
  ])('allows %s', (_, from, statement, to) => {
    expect(check(from, statement, to)).toEqual([]);
  });

  it.each([['import(name)'], ['import(`./${name}.ts`)'], ['require(name)'], ['process.getBuiltinModule(name)']])(
    'finds the computed module of %s',
    (statement) => {
      expect(computedImportFaults(new Map([['src/a.ts', statement]]))).toHaveLength(1);
    },
  );
});
