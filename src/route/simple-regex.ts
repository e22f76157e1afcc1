// Patterns that need no engine: plain characters with `.*` and `.+` between them. Most patterns of real configs are of this
// kind, and as string operations they cost a tenth. Must agree with RE2 on every text; a test proves it.

/** Asks whether a text as a whole matches. */
export type TextMatch = (text: string) => boolean;

/** One stretch of the pattern: literal text, and before it anything of at least `gapMin` characters, or nothing (-1). */
interface Piece {
  readonly gapMin: -1 | 0 | 1;
  readonly literal: string;
}

/** The pattern as string operations, or null when it needs the engine. */
export function simpleRegex(pattern: string): TextMatch | null {
  const pieces = piecesOf(pattern);
  if (pieces === null) return null;
  const [first, second, third] = pieces;
  if (first === undefined) return null;
  if (second === undefined) return (text) => text === first.literal;
  if (third !== undefined) return general(pieces);
  const head = first.literal;
  const tail = second.literal;
  const lengthMin = head.length + second.gapMin + tail.length;
  if (tail === '') return (text) => text.length >= lengthMin && text.startsWith(head) && isOneLine(text);
  if (head === '') return (text) => text.length >= lengthMin && text.endsWith(tail) && isOneLine(text);
  return (text) => text.length >= lengthMin && text.startsWith(head) && text.endsWith(tail) && isOneLine(text);
}

/** `.` takes everything but a line feed, and no literal here contains one: a text with a line feed cannot match. */
function isOneLine(text: string): boolean {
  return !text.includes('\n');
}

/** Head and tail are fixed; each literal between is taken at its first place, which leaves most to the rest. */
function general(pieces: readonly Piece[]): TextMatch {
  const head = (pieces[0] as Piece).literal;
  const last = pieces[pieces.length - 1] as Piece;
  const between = pieces.slice(1, -1);
  return (text) => {
    if (!text.startsWith(head) || !text.endsWith(last.literal)) return false;
    let position = head.length;
    for (const piece of between) {
      const found = text.indexOf(piece.literal, position + piece.gapMin);
      if (found < 0) return false;
      position = found + piece.literal.length;
    }
    return text.length - last.literal.length >= position + last.gapMin && isOneLine(text);
  };
}

/** Pieces of the pattern; the first never has a gap, the others always have. null: not simple. */
function piecesOf(pattern: string): Piece[] | null {
  // A literal half of a surrogate pair matches no half of a character.
  if (/[\n\ud800-\udfff]/.test(pattern)) return null;
  const pieces: Piece[] = [];
  let gapMin: -1 | 0 | 1 = -1;
  let literal = '';
  const end = pattern.endsWith('$') && !/(^|[^\\])(\\\\)*\\\$$/.test(pattern) ? pattern.length - 1 : pattern.length;
  for (let i = pattern.startsWith('^') ? 1 : 0; i < end; i++) {
    const char = pattern.charAt(i);
    const next = pattern.charAt(i + 1);
    if (char === '\\') {
      if (i + 1 >= end || !/[!-/:-@[-`{-~]/.test(next)) return null;
      literal += next;
      i++;
    } else if (char === '.' && (next === '*' || next === '+')) {
      if (gapMin >= 0 && literal === '') return null;
      pieces.push({ gapMin, literal });
      gapMin = next === '*' ? 0 : 1;
      literal = '';
      i++;
      // `.*?`, `.*+` and `.**` mean something else, or nothing.
      if (i + 1 < end && /[*+?{]/.test(pattern.charAt(i + 1))) return null;
    } else if (/[.*+?()|[\]{}^$]/.test(char)) {
      return null;
    } else {
      literal += char;
    }
  }
  pieces.push({ gapMin, literal });
  return pieces;
}
