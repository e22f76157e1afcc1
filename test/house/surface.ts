// The names that a user can import: few, chosen one by one, and written down in public-names.txt.
import { exportsOf } from '../../.ci/lib/source.ts';
import { tokensIn } from './tree.ts';

/** The files directly in src/. */
export type FaceMap = ReadonlyMap<string, string>;

/** Of what is there at run time; types do not count. */
const NAMES_MAX = 40;
const INDEX = 'src/index.ts';

export function surfaceFaults(faces: FaceMap): string[] {
  const faults: string[] = [];
  for (const [path, text] of faces) {
    const names = exportsOf(tokensIn(path, text));
    if (names.includes('*')) faults.push(`${path}: no export *: a name becomes public by decision.`);
    if (names.includes('default')) faults.push(`${path}: no default export: a thing has one name.`);
    for (const name of new Set(names))
      if (names.indexOf(name) !== names.lastIndexOf(name)) faults.push(`${path}: ${name} is exported twice.`);
    if (path !== INDEX) continue;
    const values = exportsOf(tokensIn(path, withoutTypes(text)));
    if (values.length > NAMES_MAX) faults.push(`${path}: ${values.length} names, at most ${NAMES_MAX}. Move the rarer ones to a subpath.`);
    const tokens = tokensIn(path, text);
    const hasCode = tokens.some(({ kind, text: word }) => kind === 'punct' && (word === '(' || word === '='));
    if (hasCode) faults.push(`${path}: may only re-export.`);
  }
  return faults;
}

function withoutTypes(text: string): string {
  return text.replace(/export type \{[^}]*\}[^;]*;/g, '').replace(/\btype \w+( as \w+)?,?/g, '');
}

/** Entry by entry, the names in order of the alphabet. */
export function surfaceText(faces: FaceMap): string {
  return [...faces]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([path]) => path !== 'src/register.ts')
    .flatMap(([path, text]) => [
      path,
      ...exportsOf(tokensIn(path, text))
        .sort()
        .map((name) => `  ${name}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
