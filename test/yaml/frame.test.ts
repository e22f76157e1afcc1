import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameAt, positionAt, sourceText } from '../../src/yaml/frame.ts';

describe('positionAt', () => {
  it('agrees with counting lines', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', '\r\n', 'é', '😀')), fc.nat(40), (parts, offset) => {
        const text = parts.join('');
        const at = Math.min(offset, text.length);
        const before = text.slice(0, at).split('\n');
        const { line, column } = positionAt(sourceText('f', text), offset);
        return line === before.length && column === (before.at(-1) ?? '').length + 1;
      }),
    );
  });
});

describe('frameAt', () => {
  const frame = (text: string, line: number, column: number): string => frameAt(sourceText('f', text), { line, column });

  it('shows the line before, the line and a caret', () => {
    expect(frame('one\ntwo\nthree', 2, 3)).toBe('1 | one\n2 | two\n  |   ^');
    expect(frame('one', 1, 1)).toBe('1 | one\n  | ^');
    expect(frame('a\r\nb\r\n', 2, 1)).toBe('1 | a\n2 | b\n  | ^');
    expect(frame(`${'x\n'.repeat(9)}end`, 10, 2)).toBe(' 9 | x\n10 | end\n   |  ^');
  });

  it('keeps tabs, so that the caret stands right', () => {
    expect(frame('\ta: b', 1, 2)).toBe('1 | \ta: b\n  | \t^');
  });

  it('cuts long lines around the place', () => {
    const rows = frame(`${'a'.repeat(500)}X${'b'.repeat(1_000_000)}`, 1, 501).split('\n');
    expect(rows[0]?.length).toBeLessThan(130);
    expect(rows[0]?.[(rows[1] as string).indexOf('^')]).toBe('X');
  });

  it('lets nothing through that a terminal acts on', () => {
    expect(frame('a: \u001b[2Jx\u009b1m\u202e', 1, 1)).toBe('1 | a: \ufffd[2Jx\ufffd1m\ufffd\n  | ^');
  });
});
