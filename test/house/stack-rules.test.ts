import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type StackListing, stackFaults } from './stack-rules.ts';
import { ROOT } from './tree.ts';

const STACK = join(ROOT, 'src/mesh/stack.ts');

describe('the stacks', () => {
  it.skipIf(!existsSync(STACK))('stand in the order that their entries ask for', async () => {
    const { STACKS } = (await import(STACK)) as { STACKS: readonly StackListing[] };
    expect(STACKS.length).toBeGreaterThan(0);
    expect(stackFaults(STACKS)).toEqual([]);
  });
});

describe('the checker of stacks', () => {
  const entry = (role: string, above: string[] = [], below: string[] = [], why = 'Because.'): StackListing['entries'][number] => ({
    role,
    why,
    above,
    below,
  });
  const check = (...entries: StackListing['entries']): string => stackFaults([{ name: 'x', entries }]).join('\n');

  it.each([
    ['what must be above', check(entry('b'), entry('a', ['b'])), 'must stand above b'],
    ['what must be below', check(entry('b', [], ['a']), entry('a', [])), 'must stand below a'],
    ['a role that is not there', check(entry('a', ['ghost'])), 'no ghost'],
    ['a role that stands twice', check(entry('a'), entry('a')), 'twice'],
    ['no reason', check(entry('a', [], [], '')), 'one sentence'],
    ['a role in camel case', check(entry('attemptSpan')), 'kebab-case'],
    ['neighbours that could be swapped', check(entry('a'), entry('b')), 'nothing says why a stands above b'],
  ])('finds %s', (_, faults, message) => {
    expect(faults).toContain(message);
  });

  it('allows an order with reasons', () => {
    expect(check(entry('a', ['b']), entry('b', ['c']), entry('c', [], ['a']))).toBe('');
  });
});
