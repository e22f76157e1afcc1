// From located pieces to plain values, with variables put in. Objects have no prototype, so no key can reach one.
import type { ConfigPath } from '../model/issue.ts';
import type { Environment } from './interpolate.ts';
import { hasPlaceholder, interpolate, plainValue } from './interpolate.ts';
import type { Located, LocatedScalar } from './located.ts';
import { nodeAt } from './located.ts';

export type OnFault = (path: ConfigPath, message: string) => void;

/** Every alias is spread out: each object of the result is its own. */
export function toValue(node: Located, env: Environment, onFault: OnFault, path: ConfigPath = []): unknown {
  if (node.kind === 'scalar') return scalarValue(node, env, onFault, path);
  if (node.kind === 'list') return node.items.map((item, i) => toValue(item, env, onFault, [...path, i]));
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of node.entries) object[key] = toValue(entry.value, env, onFault, [...path, key]);
  return object;
}

function scalarValue(node: LocatedScalar, env: Environment, onFault: OnFault, path: ConfigPath): unknown {
  if (typeof node.value !== 'string' || !hasPlaceholder(node.value)) return node.value;
  const result = interpolate(node.value, env);
  if ('fault' in result) {
    onFault(path, result.fault);
    return node.value;
  }
  return node.plain ? plainValue(result.text) : result.text;
}

/** The text before variables were put in, when there were any: what may be printed instead of the value. */
export function rawText(root: Located, path: ConfigPath): string | undefined {
  const node = nodeAt(root, path);
  return node?.kind === 'scalar' && typeof node.value === 'string' && node.value.includes('${') ? node.value : undefined;
}
