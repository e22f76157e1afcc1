// What becomes of a configuration on its way into another form, field by field: kept, approximated, lost. Paths are
// those of the concise form, whatever the configuration was read from.
import type { RouteConfig, ServiceConfig } from '../model/config.ts';
import type { SourcePosition } from '../model/route.ts';
import { routeLabel } from './write/describe-route.ts';
import { type Plain, plainText, quotedName } from './write/plain.ts';
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

  readonly #silence: string;

  /** `silence`: what stands before the reason, where nobody asked for what cannot be said. */
  constructor(positions: Positions, silence: string) {
    this.#positions = positions;
    this.#silence = silence;
  }

  ofMesh(): LossScope {
    return this.#scope('', (key) => this.#positions.ofMesh(key.split('.')));
  }

  ofService(service: ServiceConfig): LossScope {
    return this.#scope(`services.${quotedName(service.name)}.`, (key) => this.#positions.ofService(service, topOf(key)));
  }

  ofRoute(service: ServiceConfig, route: RouteConfig): LossScope {
    return this.#scope(`services.${quotedName(service.name)}.routes[${routeLabel(route)}].`, (key) =>
      this.#positions.ofRoute(service, route, topOf(key)),
    );
  }

  /** What stands in a document of another mesh, and in no field of ours. */
  add(loss: Loss): void {
    this.losses.push(loss);
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
        why: isLeft ? `${this.#silence}: ${why}` : why,
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

/** Of these a rule is known again; one that keeps none of them is another. */
const MARKS = ['name', 'match', 'to'] as const;

/** Whether a difference at the path was announced: what is said of it most closely is not that it was kept. */
export function isAnnounced(path: string, losses: readonly Loss[]): boolean {
  const isSaid = (one: string): boolean => {
    const length = closest(one, losses, false);
    return length >= 0 && length >= closest(one, losses, true);
  };
  return isSaid(path) || (path.endsWith(']') && MARKS.every((mark) => isSaid(`${path}.${mark}`)));
}

/** Whether the loss says that what differs was kept. */
export function contradicts(path: string, { field, also = [], verdict }: Loss): boolean {
  return verdict === 'kept' && [field, ...also].some((one) => covers(one, path));
}

/** Length of the longest field that the path is in; -1: none is. */
function closest(path: string, losses: readonly Loss[], isKept: boolean): number {
  let length = -1;
  for (const { field, also = [], verdict } of losses) {
    if ((verdict === 'kept') !== isKept) continue;
    for (const one of [field, ...also])
      if (one.length > length && covers(one, path)) length = isShape(one, path) ? path.length : one.length;
  }
  return length;
}

/** What is said of all rules together is said of how they are told apart, and of what follows from that. */
function isShape(field: string, path: string): boolean {
  return field.endsWith('.routes') && /^\[[^\]]*\]\.(?:match|order|name|rewrite|redirect)\b/.test(path.slice(field.length));
}

function covers(field: string, path: string): boolean {
  return path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}

function topOf(key: string): string {
  return key.replace(/[.[].*$/, '');
}
