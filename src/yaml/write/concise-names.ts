// What services of other meshes are called in the concise form: `reviews:8080` and `reviews/v1` are no names there.
import type { MeshConfig } from '../../model/config.ts';
import type { RouteTarget } from '../../model/route.ts';

export class ConciseNames {
  readonly #names: ReadonlyMap<string, string>;

  constructor(config: MeshConfig) {
    const names = new Map<string, string>();
    const taken = new Set<string>();
    for (const name of Object.keys(config.services)) {
      const plain = plainName(name);
      let free = plain;
      for (let i = 2; taken.has(free); i++) free = `${plain}-${i}`;
      taken.add(free);
      names.set(name, free);
    }
    this.#names = names;
  }

  of(service: string): string {
    return this.#names.get(service) ?? plainName(service);
  }

  /** As a route of `owner` names it: a subset of its own by its name alone. */
  target({ service, subset }: Pick<RouteTarget, 'service' | 'subset'>, owner: string): string {
    const name = this.of(service);
    if (subset === undefined || subset === '') return name;
    return service === owner ? plainName(subset) : `${name}/${plainName(subset)}`;
  }
}

/** Letters, digits, dots and dashes. */
export function plainName(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+|[.-]+$/g, '');
  return plain === '' ? 'unnamed' : plain.slice(0, 253);
}
