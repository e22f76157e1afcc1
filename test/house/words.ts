// Words that do not belong: escapes from the type checker, promises for later, focused tests, sleeps in tests, and places
// and people of one machine. The patterns below are written so that they do not find themselves.
import type { Token } from '../../.ci/lib/lexer.ts';
import { type FileMap, filesOf, tokensIn } from './tree.ts';

const CODE = /^(src|test|examples|bench|\.ci)\/.*\.(ts|mjs)$/;

/** `any` as a type. The linter finds it too; this holds where the linter is not run. */
export function anyFaults(files: FileMap): string[] {
  return tokenFaults(files, CODE, (tokens, i) => {
    const [before, after] = [tokens[i - 1]?.text ?? '', tokens[i + 1]?.text ?? ''];
    const isType = /^([:<|&,=]|=>|as|extends|satisfies)$/.test(before) && /^([>,);=|&[\]}{]|=>)?$/.test(after);
    return tokens[i]?.kind === 'name' && tokens[i]?.text === 'any' && isType
      ? 'any switches the type checker off. Say the type, or unknown.'
      : null;
  });
}

/** A focused test silences all others. */
export function focusFaults(files: FileMap): string[] {
  return tokenFaults(files, /^test\/.*\.ts$/, (tokens, i) => {
    const isFocus =
      tokens[i]?.text === 'only' &&
      tokens[i - 1]?.text === '.' &&
      /^(it|test|describe|suite|each|for|concurrent|sequential)$/.test(tokens[i - 2]?.text ?? '');
    return isFocus ? 'a focused test silences all others. Take .only away.' : null;
  });
}

/** Places where tests may wait for the real world: sockets of real peers, the file system. */
const MAY_SLEEP = /^test\/(interop\/|core\/file-watch)/;

/** Tests hand in a virtual clock; a sleep makes them slow and, one day, wrong. */
export function sleepFaults(files: FileMap): string[] {
  return tokenFaults(files, /^test\/.*\.ts$/, (tokens, i, path) => {
    const text = tokens[i]?.text ?? '';
    const isTimer = /^(setTimeout|setInterval)$/.test(text) && tokens[i]?.kind === 'name' && !/^[.{,]$/.test(tokens[i - 1]?.text ?? '');
    const isModule = /^(node:)?timers(\/promises)?$/.test(text) && tokens[i]?.kind === 'string' && tokens[i - 1]?.text === 'from';
    const isWait = text === 'wait' && tokens[i - 2]?.text === 'Atomics';
    return (isTimer || isModule || isWait) && !MAY_SLEEP.test(path)
      ? 'a test does not sleep. Advance a VirtualClock, or await what happens.'
      : null;
  });
}

function tokenFaults(
  files: FileMap,
  where: RegExp,
  fault: (tokens: readonly Token[], at: number, path: string) => string | null,
): string[] {
  return filesOf(files, where).flatMap(([path, text]) => {
    const tokens = tokensIn(path, text);
    return tokens.flatMap((token, i) => {
      const found = token.kind === 'name' || token.kind === 'string' ? fault(tokens, i, path) : null;
      return found === null ? [] : [`${path}:${token.line}: ${found}`];
    });
  });
}

interface Word {
  readonly pattern: RegExp;
  readonly why: string;
}

const LATER: Word = { pattern: /\b(T[O]DO|FIX[M]E|X[X]X|HA[C]K)\b/, why: 'a note for later belongs in an issue.' };

const ESCAPES: Word = {
  pattern: /@ts-(ign[o]re|nocheck|expect-err[o]r)\b/,
  why: 'the type checker is right more often than not. Change the type.',
};

/** Of one machine, one network, or the way the code was written: means nothing to who reads it elsewhere. */
const PRIVATE: readonly Word[] = [
  { pattern: /(^|[\s"'`(=:])\/w[o]rk\//, why: 'a path of one machine.' },
  { pattern: /(^|[\s"'`(=:])\/(ro[o]t|hom[e]\/\w+|Us[e]rs\/\w+)\//, why: 'a path of one machine.' },
  { pattern: /\/tm[p]\/(bri[e]f|bash_j[o]bs)/, why: 'a path of one machine.' },
  { pattern: /\breferen[c]e\/[a-z-]+\.md|\bARCHITE[C]TURE\.md\b/, why: 'a page that is not in this repository. Name the public source.' },
  { pattern: /https?:\/\/(reg[i]stry\.|[a-z0-9.-]*(artifact[o]ry|nex[u]s|verdacc[i]o))/i, why: 'the host of a package registry.' },
  {
    pattern: /\b(Clau[d]e|Anthr[o]pic|Chat[G]PT|Open[A]I|Copil[o]t|L[L]M)\b|\b(coding|A[I]) ag[e]nt\b/i,
    why: 'how the code was written is not part of it.',
  },
  { pattern: /\bthe int[e]grator\b|\bthe [a-z]+ t[a]sk writes\b|\bthis sess[i]on\b/i, why: 'how the code was written is not part of it.' },
];

export function wordFaults(files: FileMap): string[] {
  return [
    ...textFaults(filesOf(files, /./), PRIVATE),
    ...textFaults(filesOf(files, /^(src|test|examples|bench|\.ci|docs)\/|^README\.md$/), [LATER]),
    ...textFaults(filesOf(files, /^(src|\.ci|examples|bench)\//), [ESCAPES]),
  ];
}

function textFaults(files: readonly [string, string][], words: readonly Word[]): string[] {
  const faults: string[] = [];
  for (const [path, text] of files) {
    if (path === 'package-lock.json') continue;
    text.split('\n').forEach((line, i) => {
      for (const { pattern, why } of words) {
        const found = pattern.exec(line);
        if (found !== null) faults.push(`${path}:${i + 1}: "${found[0].trim()}": ${why}`);
      }
    });
  }
  return faults;
}
