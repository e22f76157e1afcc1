// Who may import whom: the table of docs/architecture.md as data. A folder that is not in the table has no floor, and that is a fault.
import { posix } from 'node:path';
import { COMPUTED, importsOf } from '../../.ci/lib/source.ts';
import { type FileMap, filesOf, tokensIn } from './tree.ts';

const BELOW_MESH = [
  'model',
  'core',
  'yaml',
  'route',
  'resilience',
  'balance',
  'discovery',
  'identity',
  'telemetry',
  'transport',
  'access',
  'inbound',
];

/** Unit → the units it may import. `face` is every file directly in src/. `*`: all but cli. */
export const FLOORS: Readonly<Record<string, readonly string[] | '*'>> = {
  model: [],
  core: ['model'],
  yaml: ['model'],
  route: ['core', 'model'],
  resilience: ['core', 'model'],
  balance: ['core', 'model'],
  discovery: ['core', 'model'],
  identity: ['core', 'model'],
  telemetry: ['core', 'model'],
  rollout: ['core', 'model'],
  transport: ['core', 'model', 'identity'],
  access: ['core', 'model', 'identity'],
  inbound: ['core', 'model', 'identity', 'access'],
  mesh: BELOW_MESH,
  sim: [...BELOW_MESH, 'rollout', 'mesh'],
  face: [...BELOW_MESH, 'rollout', 'mesh', 'sim'],
  cli: '*',
};

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

/** `src/route/match.ts` → route; `src/index.ts` → face; null outside src. */
export function unitOf(path: string): string | null {
  const parts = path.split('/');
  if (parts[0] !== 'src') return null;
  return parts.length === 2 ? 'face' : (parts[1] as string);
}

/** Every import of one file of src by another, types and lazy ones included. */
export function edgesOf(files: FileMap): Edge[] {
  const edges: Edge[] = [];
  for (const [path, text] of filesOf(files, /^src\/.*\.ts$/)) {
    for (const { specifier, line } of importsOf(tokensIn(path, text))) {
      if (specifier.startsWith('.')) edges.push({ from: path, to: posix.join(posix.dirname(path), specifier), line });
    }
  }
  return edges;
}

export function floorFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path] of filesOf(files, /^src\//)) {
    const unit = unitOf(path) as string;
    if (!Object.hasOwn(FLOORS, unit)) faults.push(`${path}: src/${unit}/ has no floor. Add it to the table in test/house/floors.ts.`);
  }
  for (const { from, to, line } of edgesOf(files)) {
    const [unit, target] = [unitOf(from) as string, unitOf(to)];
    if (target === null) faults.push(`${from}:${line}: imports ${to}, which is outside src/.`);
    else if (!to.endsWith('.ts')) faults.push(`${from}:${line}: write the import of ${to} with its .ts extension.`);
    else if (!files.has(to)) faults.push(`${from}:${line}: imports ${to}, which does not exist.`);
    else if (unit !== target && FLOORS[unit] !== '*' && !FLOORS[unit]?.includes(target))
      faults.push(`${from}:${line}: ${unit} must not import ${target} (${to}). It may import: ${FLOORS[unit]?.join(', ') || 'nothing'}.`);
  }
  return faults;
}

/** An import whose module is computed cannot be checked, so it is not allowed. */
export function computedImportFaults(files: FileMap): string[] {
  return filesOf(files, /^src\/.*\.ts$/).flatMap(([path, text]) =>
    importsOf(tokensIn(path, text))
      .filter(({ specifier }) => specifier === COMPUTED)
      .map(({ line }) => `${path}:${line}: the imported module is computed. Name it, so that floors and homes can be checked.`),
  );
}
