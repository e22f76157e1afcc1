// The shape of files: length, opening comment, names, functions that are too long or async for nothing.
import { functionsOf } from '../../.ci/lib/source.ts';
import { type FileMap, filesOf, tokensIn } from './tree.ts';

const LINES_MAX = 400;
/** Tables of cases grow where code must not. */
const TEST_LINES_MAX = 600;
const FUNCTION_LINES_MAX = 70;
const HEADER_LINES_MAX = 6;

const CODE = /\.(ts|mjs)$/;
/** Files that must open with a comment. Tests say what they are by their name. */
const EXPLAINED = /^(src|\.ci|examples|bench)\/.*\.(ts|mjs)$|^test\/(house|support|interop)\/[^.]+\.ts$/;

export function lengthFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path, text] of filesOf(files, CODE)) {
    const lines = text.trimEnd().split('\n').length;
    const most = path.startsWith('test/') ? TEST_LINES_MAX : LINES_MAX;
    if (lines > most) faults.push(`${path}: ${lines} lines, at most ${most}. Split it by what changes together.`);
  }
  for (const [path, text] of filesOf(files, /^(src|\.ci|examples)\/.*\.(ts|mjs)$/)) {
    for (const { name, line, lines } of functionsOf(tokensIn(path, text))) {
      if (lines > FUNCTION_LINES_MAX) faults.push(`${path}:${line}: function ${name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}.`);
    }
  }
  return faults;
}

export function headerFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path, text] of filesOf(files, EXPLAINED)) {
    const lines = text.split('\n');
    if (lines[0]?.startsWith('#!')) lines.shift();
    const end = lines.findIndex((line) => !line.startsWith('//'));
    const count = end === -1 ? lines.length : end;
    if (count === 0)
      faults.push(`${path}: opens without a comment. Say in 1 to ${HEADER_LINES_MAX} lines what it is, why, what it must not know.`);
    else if (count > HEADER_LINES_MAX) faults.push(`${path}: opens with ${count} lines of comment, at most ${HEADER_LINES_MAX}.`);
  }
  return faults;
}

const NAMELESS = /^(utils?|helpers?|common|managers?|misc)$/i;
const DECLARES = /^(function|class|interface|type)$/;

/** Words that say nothing about what a thing is, in file names and in declared names; file names not in kebab-case. */
export function nameFaults(files: FileMap): string[] {
  const faults: string[] = [];
  for (const [path] of filesOf(files, /^(src|test|examples|bench|\.ci|docs)\//)) {
    const empty = path.split(/[/.-]/).find((part) => NAMELESS.test(part));
    if (empty !== undefined) faults.push(`${path}: "${empty}" says nothing. Name the file after what it is.`);
  }
  for (const [path] of filesOf(files, /^(src|test|examples|bench|\.ci)\/.*\.(ts|mjs)$|^docs\/.*\.md$/)) {
    for (const part of path.split('/')) {
      const isKebab = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.(test|long\.test|test-d|config|d))?(\.[a-z]+)?$/.test(part);
      if (!isKebab) faults.push(`${path}: "${part}" is not kebab-case.`);
    }
  }
  for (const [path, text] of filesOf(files, /^(src|\.ci|examples)\/.*\.(ts|mjs)$/)) {
    const tokens = tokensIn(path, text);
    tokens.forEach((token, i) => {
      const before = tokens[i - 1]?.text ?? '';
      const isDeclared = DECLARES.test(before) || (before === 'const' && tokens[i - 2]?.text === 'export');
      if (token.kind !== 'name' || !isDeclared) return;
      const empty = token.text.split(/(?=[A-Z])|_/).find((part) => NAMELESS.test(part));
      if (empty !== undefined) faults.push(`${path}:${token.line}: the name ${token.text} says nothing. Say what it does.`);
    });
  }
  return faults;
}

/** An `async` function without `await` allocates a promise and hides that nothing is waited for. */
export function asyncFaults(files: FileMap): string[] {
  return filesOf(files, /^src\/.*\.ts$/).flatMap(([path, text]) =>
    functionsOf(tokensIn(path, text))
      .filter(({ isAsync, body }) => isAsync && !body.some((token) => token.kind === 'name' && /^(await|yield)$/.test(token.text)))
      .map(({ name, line }) => `${path}:${line}: ${name} is async but awaits nothing. Return the promise instead.`),
  );
}
