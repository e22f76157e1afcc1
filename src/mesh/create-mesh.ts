// The way in: loads the mesh when the first one is made. Importing the package costs next to nothing, and whoever never
// makes a mesh never loads undici, the validator or the stacks.
import type { Mesh } from './mesh.ts';
import type { MeshOptions } from './mesh-options.ts';

/**
 * Reads and checks the configuration, finds the endpoints, and gives a running mesh. Rejects with MeshError
 * `config_invalid`, whose `issues` are the single faults.
 */
export async function createMesh(options: MeshOptions = {}): Promise<Mesh> {
  const mesh = await import('./mesh.ts');
  return mesh.createMesh(options);
}
