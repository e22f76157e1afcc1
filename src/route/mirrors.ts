// How many copies are under way, and what became of those that were due. Bounded, so that a slow mirror cannot fill this
// process. Survives reloads. Must not know what is copied.

/** @default 100 */
export const MIRRORS_ACTIVE_MAX = 100;

export interface MirrorsOptions {
  /** Copies under way at once; one more is dropped. @default 100 */
  readonly activeMax?: number | undefined;
  /** @default nobody listens */
  readonly onAction?: ((action: 'mirror.sent' | 'mirror.dropped') => void) | undefined;
}

export class Mirrors {
  readonly #activeMax: number;
  readonly #onAction: ((action: 'mirror.sent' | 'mirror.dropped') => void) | undefined;
  #active = 0;
  #sent = 0;
  #dropped = 0;

  constructor(options: MirrorsOptions = {}) {
    this.#activeMax = options.activeMax ?? MIRRORS_ACTIVE_MAX;
    this.#onAction = options.onAction;
  }

  /** Copies under way. */
  get active(): number {
    return this.#active;
  }

  /** Copies sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Copies that were due and not sent: too many under way, or a body that cannot be copied. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether one more may go. */
  get hasRoom(): boolean {
    return this.#active < this.#activeMax;
  }

  /** A copy sets out; it is given back by one `end`. */
  begin(): void {
    this.#active++;
    this.#sent++;
    this.#onAction?.('mirror.sent');
  }

  end(): void {
    this.#active--;
  }

  drop(): void {
    this.#dropped++;
    this.#onAction?.('mirror.dropped');
  }
}
