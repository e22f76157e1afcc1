// A mesh from a document as it lies there, with real servers on loopback named by the concise form; and the arithmetic of shares.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMeshConfig } from '../../../src/mesh/config-source.ts';
import { createMesh, type Mesh } from '../../../src/mesh/mesh.ts';
import { formatIssues } from '../../../src/yaml/load.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { countingServer, type CountingServer } from '../counting-server.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/acceptance', import.meta.url));

export const HAS_ACCEPTANCE: boolean = existsSync(FOLDER);
export const SKIPPED = 'the acceptance inputs do not lie beside this checkout (../shared/acceptance), so nothing can be seen of them';

/** What the canary rule takes for a mobile device. */
export const MOBILE = { 'user-agent': 'Mozilla/5.0 (a mobile thing)' } as const;
export const REVIEWS_URL = 'http://reviews/';

export const acceptanceFile = (name: string): string => join(FOLDER, name);

export interface AcceptanceMesh {
  readonly mesh: Mesh;
  /** What was said of the documents when they were read. */
  readonly warnings: string;
}

/** Closers run in reverse. */
export class Site {
  readonly #closers: (() => unknown)[] = [];

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async server<T extends { close(): unknown }>(made: Promise<T>): Promise<T> {
    const server = await made;
    this.onClose(() => server.close());
    return server;
  }

  /** `files` are read as they are; `concise` says who answers. */
  async mesh(files: readonly string[], concise: object, seed = 1): Promise<AcceptanceMesh> {
    const folder = mkdtempSync(join(tmpdir(), 'inmesh-acceptance-'));
    this.onClose(() => rmSync(folder, { recursive: true }));
    const own = join(folder, 'mesh.yaml');
    writeFileSync(own, JSON.stringify(concise));
    const paths = [own, ...files];
    const { warnings } = await loadMeshConfig(paths, {});
    const mesh = await createMesh({ config: paths, watch: false, random: seededRandom(seed), env: {} });
    this.onClose(() => mesh.close({ drainMs: 0 }));
    return { mesh, warnings: formatIssues(warnings) };
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** Endpoints of one service, each with its version as a label. */
export function versions(servers: Readonly<Record<string, { readonly address: string }>>): object[] {
  return Object.entries(servers).map(([version, { address }]) => ({ address, labels: { version } }));
}

export const SUBSETS = { v1: { version: 'v1' }, v2: { version: 'v2' } } as const;

const AT_ONCE = 40;

/** Makes the calls, so many at once; the answers' bodies are read. Gives how often each name answered. */
export async function answersOf(
  mesh: Mesh,
  url: string,
  count: number,
  headers: Record<string, string> = {},
): Promise<Map<string, number>> {
  const answers = new Map<string, number>();
  let left = count;
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const response = await mesh.fetch(url, { headers });
      await response.text();
      const name = response.headers.get('x-answered-by') ?? String(response.status);
      answers.set(name, (answers.get(name) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return answers;
}

/** How many standard deviations the count is away from what the share says. */
export function sigmas(answers: ReadonlyMap<string, number>, name: string, share: number): number {
  const count = [...answers.values()].reduce((sum, one) => sum + one, 0);
  return Math.abs((answers.get(name) ?? 0) - count * share) / Math.sqrt(count * share * (1 - share));
}

export interface Reviews extends AcceptanceMesh {
  readonly v1: CountingServer;
  readonly v2: CountingServer;
}

/** The world of reviews-canary-mobile.yaml. */
export async function reviews(site: Site, concise: object = {}): Promise<Reviews> {
  const [v1, v2] = [await site.server(countingServer('v1')), await site.server(countingServer('v2'))];
  const services = { reviews: { endpoints: versions({ v1, v2 }) } };
  return { v1, v2, ...(await site.mesh([acceptanceFile('reviews-canary-mobile.yaml')], { ...concise, services })) };
}
