// What is exported and read again is what it was, or its writer says that it is not: field by field, and call by call.
import fc from 'fast-check';
import { expect } from 'vitest';
import { diffConfigs } from '../../../src/yaml/diff.ts';
import { type ExportTarget, writeConfig } from '../../../src/yaml/export.ts';
import { isAnnounced, type Loss } from '../../../src/yaml/losses.ts';
import { type Decision, decider, type TestCall } from './decisions.ts';
import { calls, configs, hasVariable } from './generated-config.ts';
import { validateText } from './valid-document.ts';
import { readBack, regex, type Written, writtenConfig } from './written.ts';

/** Said of a rule, it says that its calls may end otherwise. */
const LOST = /^services\.a\.routes\[([^\]]*)\](?:\.(?:match|to|rewrite|redirect|directResponse|mirror)\b.*)?$/;
const NEARLY = /^services\.a\.routes\[([^\]]*)\]\.(?:match|rewrite|redirect)(?:\.(?!path$).*)?$/;

function otherwise(losses: readonly Loss[], target: ExportTarget): readonly string[] {
  return losses.flatMap(({ field, verdict }) => {
    const pattern = verdict === 'lost' ? LOST : target === 'istio' ? null : NEARLY;
    return pattern?.exec(field)?.[1] ?? [];
  });
}

/** What is left of a name: readers of the Gateway API put the document before it, and writers number the parts of a rule. */
function isPartOf(name: string, rule: string): boolean {
  const own = name.slice(name.lastIndexOf('/') + 1);
  return own === rule || own.startsWith(`${rule}-`);
}

/** A proxy has one way to fail and to answer with that status: both are the same for the caller. */
function seen({ outcome }: Decision, isTimed: boolean): Readonly<Record<string, unknown>> {
  if (outcome.status === 500 || (outcome.to as Record<string, number> | undefined)?.['fails 500'] === 1) return { status: 500 };
  if (isTimed) return outcome;
  const { timeoutMs: _timeoutMs, ...rest } = outcome;
  return rest;
}

/** How many calls were compared. */
async function compareCalls(
  a: Written,
  b: Written,
  target: ExportTarget,
  losses: readonly Loss[],
  list: readonly TestCall[],
): Promise<number> {
  // Subsets are services of their own everywhere but in Istio.
  const before = await decider(a.config, 'a', regex, (name) => (target === 'istio' ? name : name.replace('/', '-')));
  const after = await decider(b.config, 'a', regex);
  const rules = otherwise(losses, target);
  const untimed = losses.filter(({ field, verdict }) => verdict !== 'kept' && /^services\.a\..*timeout$/.test(field));
  let compared = 0;
  for (const call of list) {
    const [first, second] = [await before(call), await after(call)];
    if (rules.some((rule) => rule === first.name || isPartOf(second.name, rule))) continue;
    compared++;
    const isTimed = !untimed.some(({ field }) => field === `services.a.routes[${first.name}].timeout`);
    expect({ call, ...seen(second, isTimed) }).toEqual({ call, ...seen(first, isTimed) });
  }
  return compared;
}

/** How many calls were compared, over that many configurations. */
export async function roundTrips(target: ExportTarget, numRuns: number): Promise<number> {
  let compared = 0;
  const property = fc.asyncProperty(configs, fc.array(calls, { minLength: 10, maxLength: 10 }), async (input, list) => {
    const written = hasVariable(input) ? null : writtenConfig(input);
    if (written === null) return;
    const { documents, losses } = await writeConfig(written, target);
    const text = documents.map((document) => document.text).join('---\n');
    expect((await validateText(text)).faults).toEqual([]);
    const back = await readBack(text);
    const differences = diffConfigs(written, back, { together: false });
    expect(differences.filter(({ path }) => !isAnnounced(path, losses))).toEqual([]);
    compared += await compareCalls(written, back, target, losses, list);
  });
  await fc.assert(property, { numRuns, seed: 1, endOnFailure: true });
  return compared;
}
