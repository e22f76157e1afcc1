// `inmesh/undici`: the mesh as undici's global dispatcher, and so below built-in fetch, undici and every library on them.
import type { Mesh } from './mesh/mesh.ts';
import { installDispatcher } from './transport/install.ts';

export { MeshDispatcher } from './transport/dispatcher.ts';

/**
 * Makes the mesh the global dispatcher of built-in fetch and of undici 6, 7 and 8. Hosts that no service names go on
 * through the dispatcher that was there before. Returns a function that puts the old one back.
 */
export function installGlobalDispatcher(mesh: Mesh): () => void {
  return installDispatcher(mesh.dispatcher);
}
