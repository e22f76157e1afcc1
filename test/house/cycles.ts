// Import circles, types included: strongly connected components of the file graph (Tarjan).
import { edgesOf } from './floors.ts';
import type { FileMap } from './tree.ts';

/** Groups of files that import each other, each as one sentence. */
export function cycleFaults(files: FileMap): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of edgesOf(files)) targets.set(from, [...(targets.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const faults: string[] = [];

  const visit = (path: string): number => {
    const own = order.size;
    order.set(path, own);
    lowest.set(path, own);
    stack.push(path);
    for (const to of targets.get(path) ?? []) {
      const reached = order.has(to) ? (stack.includes(to) ? (order.get(to) as number) : own) : visit(to);
      lowest.set(path, Math.min(lowest.get(path) as number, reached));
    }
    if (lowest.get(path) === own) {
      const group = stack.splice(stack.indexOf(path));
      const isCircle = group.length > 1 || (targets.get(path) ?? []).includes(path);
      if (isCircle) faults.push(`these files import each other: ${group.sort().join(', ')}. Move what they share below them.`);
    }
    return lowest.get(path) as number;
  };

  for (const path of targets.keys()) if (!order.has(path)) visit(path);
  return faults;
}
