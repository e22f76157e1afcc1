// The inbound stack keeps the rules of all stacks.
import { describe, expect, it } from 'vitest';
import { INBOUND_STACK } from '../../src/mesh/inbound-stack.ts';
import { STACKS } from '../../src/mesh/stack.ts';
import { stackFaults } from '../house/stack-rules.ts';

describe('the inbound stack', () => {
  it('stands in the order that its entries ask for', () => {
    expect(stackFaults([{ name: 'inbound', entries: INBOUND_STACK }])).toEqual([]);
  });

  it('has roles of its own, so that a layer of the user has one place', () => {
    const others = new Set(STACKS.flatMap(({ entries }) => entries.map(({ role }) => role)));
    expect(INBOUND_STACK.filter(({ role }) => others.has(role))).toEqual([]);
  });
});
