// What happened, as a typed EventTarget. Nothing is made while nobody listens.
import type { MeshEvent } from '../core/events.ts';

/** The event object of one kind; what happened is in `detail`. */
export type MeshEventOf<Type extends MeshEvent['type']> = CustomEvent<Extract<MeshEvent, { type: Type }>>;

export type MeshEventListener<Type extends MeshEvent['type']> = (event: MeshEventOf<Type>) => void;

/** An EventTarget whose types know each event: `addEventListener('endpointEjected', ({ detail }) => …)`. */
export interface TypedEventTarget {
  addEventListener<Type extends MeshEvent['type']>(
    type: Type,
    listener: MeshEventListener<Type>,
    options?: { once?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener<Type extends MeshEvent['type']>(type: Type, listener: MeshEventListener<Type>): void;
  dispatchEvent(event: Event): boolean;
}

const TypedTarget: new () => TypedEventTarget = EventTarget as never;

/** `mesh.events`. */
export class MeshEvents extends TypedTarget {
  readonly #taps: Set<(event: MeshEvent) => void> = new Set();

  /** Every event, whatever its type, until the function returned is called. */
  onAny(listener: (event: MeshEvent) => void): () => void {
    this.#taps.add(listener);
    return () => {
      this.#taps.delete(listener);
    };
  }

  /** @internal */
  emit(event: MeshEvent): void {
    for (const tap of this.#taps) {
      try {
        tap(event);
      } catch (error) {
        // As EventTarget does it: the listener's fault is the application's, and must not end somebody's call.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.dispatchEvent(new CustomEvent(event.type, { detail: event }));
  }
}
