// Documents that were made, each with a name of its own: ports of one Service become one document, and what would stand
// in the place of another gets a number.
import type { PlainMap } from './plain.ts';
import type { MadeResource } from './writer.ts';

type Named = Pick<MadeResource, 'kind' | 'namespace' | 'name'>;

/** `kept`: documents that go out as they came in; a Service among them says all that is to be said of it. */
export function distinctResources(made: readonly MadeResource[], kept: readonly Named[]): MadeResource[] {
  const taken = new Set(kept.map(keyOf));
  const services = new Map<string, number>();
  const found: MadeResource[] = [];
  for (const resource of made) {
    const key = keyOf(resource);
    const at = services.get(key);
    if (at !== undefined) found[at] = withPorts(found[at] as MadeResource, resource);
    else if (resource.kind !== 'Service') found.push(named(resource, taken));
    else if (!taken.has(key)) services.set(key, found.push(resource) - 1);
  }
  return found;
}

function keyOf({ kind, namespace, name }: Named): string {
  return `${kind} ${namespace}/${name}`;
}

function withPorts(service: MadeResource, other: MadeResource): MadeResource {
  const portsOf = ({ parts: { spec } }: MadeResource): readonly PlainMap[] =>
    (spec as { readonly ports?: readonly PlainMap[] }).ports ?? [];
  const names = new Set(portsOf(service).map(({ name }) => name));
  const ports = [...portsOf(service), ...portsOf(other).filter(({ name }) => !names.has(name as string))];
  return { ...service, parts: { ...service.parts, spec: { ...(service.parts.spec as PlainMap), ports } } };
}

function named(resource: MadeResource, taken: Set<string>): MadeResource {
  let free = resource;
  for (let i = 2; taken.has(keyOf(free)); i++) free = { ...resource, name: `${resource.name}-${i}` };
  taken.add(keyOf(free));
  return free;
}
