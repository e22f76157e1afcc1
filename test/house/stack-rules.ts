// The order of the stacks, held against the reasons that stand beside each entry.

export interface StackListing {
  readonly name: string;
  /** Outermost first. */
  readonly entries: readonly {
    readonly role: string;
    readonly why: string;
    readonly above: readonly string[];
    readonly below: readonly string[];
  }[];
}

export function stackFaults(stacks: readonly StackListing[]): string[] {
  const faults: string[] = [];
  for (const { name, entries } of stacks) {
    const roles = entries.map(({ role }) => role);
    entries.forEach(({ role, why, above, below }, at) => {
      const place = `stack ${name}, ${role}`;
      if (roles.indexOf(role) !== at) faults.push(`${place}: the role stands here twice.`);
      if (!/^[a-z]+(-[a-z]+)*$/.test(role)) faults.push(`${place}: a role is written in kebab-case.`);
      if (!/^[A-Z][^\n]*\.$/.test(why)) faults.push(`${place}: "why" must be one sentence.`);
      for (const other of [...above, ...below]) if (!roles.includes(other)) faults.push(`${place}: there is no ${other} in this stack.`);
      for (const other of above)
        if (roles.includes(other) && roles.indexOf(other) <= at) faults.push(`${place}: must stand above ${other}.`);
      for (const other of below)
        if (roles.includes(other) && roles.indexOf(other) >= at) faults.push(`${place}: must stand below ${other}.`);
    });
    // Two neighbours without a word about each other could be swapped without a test noticing.
    entries.slice(1).forEach((entry, at) => {
      const outer = entries[at];
      if (outer !== undefined && !outer.above.includes(entry.role) && !entry.below.includes(outer.role))
        faults.push(`stack ${name}: nothing says why ${outer.role} stands above ${entry.role}.`);
    });
  }
  return faults;
}
