// From located pieces to plain values, with variables put in. Objects have no prototype, so no key can reach one.
import type { ConfigPath } from '../model/issue.ts';
import type { Environment } from './interpolate.ts';
import { hasPlaceholder, interpolate, plainValue } from './interpolate.ts';
import type { Located, LocatedScalar } from './located.ts';
import { nodeAt } from './located.ts';

export type OnFault = (path: ConfigPath, message: string) => void;

/** Every alias is spread out: each object of the result is its own. */
export function toValue(node: Located, env: Environment, onFault: OnFault): unknown {
  return valueOf(node, env, onFault, []);
}

/** One list is the path of all: a fault is the exception that pays for a copy. */
function valueOf(node: Located, env: Environment, onFault: OnFault, path: (string | number)[]): unknown {
  if (node.kind === 'scalar') return scalarValue(node, env, onFault, path);
  const depth = path.length;
  if (node.kind === 'list') {
    const list: unknown[] = [];
    for (const item of node.items) {
      path[depth] = list.length;
      list.push(valueOf(item, env, onFault, path));
    }
    path.length = depth;
    return list;
  }
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, { value }] of node.entries) {
    path[depth] = key;
    object[key] = valueOf(value, env, onFault, path);
  }
  path.length = depth;
  return object;
}

function scalarValue(node: LocatedScalar, env: Environment, onFault: OnFault, path: ConfigPath): unknown {
  if (typeof node.value !== 'string' || !hasPlaceholder(node.value)) return node.value;
  const result = interpolate(node.value, env);
  if ('fault' in result) {
    onFault([...path], result.fault);
    return node.value;
  }
  return node.plain ? plainValue(result.text) : result.text;
}

/** The text before variables were put in, when there were any: what may be printed instead of the value. */
export function rawText(root: Located, path: ConfigPath): string | undefined {
  const node = nodeAt(root, path);
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value.includes('${') ? node.value : undefined;
}
