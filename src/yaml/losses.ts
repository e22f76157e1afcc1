// What becomes of a configuration on its way into another form, field by field: kept, approximated, lost. Paths are
// those of the concise form, whatever the configuration was read from.
import type { RouteConfig, ServiceConfig } from '../model/config.ts';
import type { SourcePosition } from '../model/route.ts';
import { positionAt } from './frame.ts';
import type { Resource } from './resource.ts';
import { type Plain, plainText } from './write/plain.ts';
import type { Positions } from './write/positions.ts';

export type Verdict = 'kept' | 'approximated' | 'lost';

export interface Loss {
  /** `services.reviews.routes[canary].retries.methods`. */
  readonly field: string;
  /** Further fields of which the same is true. */
  readonly also?: readonly string[];
  readonly verdict: Verdict;
  /** What the configuration says, in one line. */
  readonly from: string;
  /** What was written for it, and where: `VirtualService reviews: timeout`. Empty: nothing. */
  readonly to: string;
  /** How it was approximated, or why it was lost. Empty when it was kept. */
  readonly why: string;
  /** Where it was written. Absent: it is a default of ours. */
  readonly position?: SourcePosition;
}

/** One service, or one of its rules, on the way out. The key '' is the whole of it. */
export interface LossScope {
  kept(key: string, from: Plain, to: string): void;
  /** The nearest thing was written: `to` what, `how` it differs. */
  approximated(key: string | readonly string[], from: Plain, to: string, how: string): void;
  /**
   * Nothing was written. What nobody asked for is not lost but left to the mesh, which has a way of its own.
   */
  lost(key: string | readonly string[], from: Plain, why: string): void;
}

export class LossReport {
  readonly losses: Loss[] = [];
  readonly #positions: Positions;
  /** One rule may be written several times, and is said once. */
  readonly #said: Set<string> = new Set();

  constructor(positions: Positions) {
    this.#positions = positions;
  }

  ofMesh(): LossScope {
    return this.#scope('', (key) => this.#positions.ofMesh(key.split('.')));
  }

  ofService(service: ServiceConfig): LossScope {
    return this.#scope(`services.${service.name}.`, (key) => this.#positions.ofService(service, topOf(key)));
  }

  ofRoute(service: ServiceConfig, route: RouteConfig): LossScope {
    return this.#scope(`services.${service.name}.routes[${route.name}].`, (key) => this.#positions.ofRoute(service, route, topOf(key)));
  }

  /** A document of another mesh that says what no field carries. */
  lostDocument({ kind, namespace, name, document }: Resource, why: string): void {
    const field = `${kind} ${namespace}/${name}`;
    this.losses.push({
      field,
      verdict: 'lost',
      from: 'a document',
      to: '',
      why,
      position: positionAt(document.source, document.root.offset),
    });
  }

  #scope(prefix: string, positionOf: (key: string) => SourcePosition | undefined): LossScope {
    const fieldOf = (key: string): string => (key === '' ? prefix.slice(0, -1) : `${prefix}${key}`);
    const add = (verdict: Verdict, keys: string | readonly string[], from: Plain, to: string, why: string): void => {
      const [key = '', ...others] = typeof keys === 'string' ? [keys] : keys;
      const position = positionOf(key);
      const isLeft = verdict === 'lost' && position === undefined;
      const id = `${prefix}${key} ${verdict} ${to} ${why}`;
      if (this.#said.has(id)) return;
      this.#said.add(id);
      this.losses.push({
        field: fieldOf(key),
        ...(others.length === 0 ? {} : { also: others.map(fieldOf) }),
        verdict: isLeft ? 'approximated' : verdict,
        from: plainText(from),
        to,
        why: isLeft ? `a default of inmesh, left to the mesh: ${why}` : why,
        ...(position === undefined ? {} : { position }),
      });
    };
    return {
      kept: (key, from, to) => add('kept', key, from, to, ''),
      approximated: (key, from, to, how) => add('approximated', key, from, to, how),
      lost: (key, from, why) => add('lost', key, from, '', why),
    };
  }
}

/** Whether a difference at the path was announced. */
export function isAnnounced(path: string, losses: readonly Loss[]): boolean {
  const isBelow = (field: string): boolean => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
  return losses.some(({ field, also = [], verdict }) => verdict !== 'kept' && [field, ...also].some(isBelow));
}

function topOf(key: string): string {
  return key.replace(/[.[].*$/, '');
}
