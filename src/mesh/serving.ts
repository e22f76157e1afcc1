// Brings a mesh the side of it that takes calls in.
import { Inbound } from './inbound.ts';

/** The mesh, ready to serve. One that is not of createMesh stays as it is. */
export function serving<M extends object>(mesh: M): M {
  (mesh as { takeIn?(side: typeof Inbound): void }).takeIn?.(Inbound);
  return mesh;
}
