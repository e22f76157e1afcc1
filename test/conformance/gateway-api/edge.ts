// Who asks: a process with the manifests loaded. In suite `mesh` it is the client pod itself. In suite `north-south` it plays
// the caller of a Gateway: it knocks at the Gateway's name, with the host of the case.
import { readFile } from 'node:fs/promises';
import { createMesh, type Mesh } from '../../../src/mesh/mesh.ts';
import type { ConfigIssue } from '../../../src/model/issue.ts';
import { loadRegex } from '../../../src/route/regex.ts';
import { MeshDispatcher } from '../../../src/transport/dispatcher.ts';
import type { Dispatcher } from '../../../src/transport/undici.ts';
import { formatIssues, loadConfig } from '../../../src/yaml/load.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { INFRA } from './suite.ts';

export interface Client {
  readonly mesh: Mesh;
  /** Whether the documents needed `lenient`. */
  readonly isLenient: boolean;
  readonly warnings: readonly ConfigIssue[];
  close(): Promise<void>;
}

export interface ClientOptions {
  /** What the names of files are relative to. */
  readonly folder: string;
  readonly files: readonly string[];
  /** Generated documents. */
  readonly beside: string;
  readonly namespace: string;
}

const BESIDE = '/beside/pods.yaml';

/** Answers as a sidecar would; everything else is as it comes. */
function process(namespace: string): string {
  return `self: { namespace: ${namespace} }\nfailures: respond\n`;
}

export async function startClient({ folder, files, beside, namespace }: ClientOptions): Promise<Client> {
  const regex = await loadRegex();
  const text = `${process(namespace)}---\n${beside}`;
  const load = (lenient: boolean) =>
    loadConfig([...files, BESIDE], {
      env: {},
      cwd: folder,
      lenient,
      checkRegex: (pattern) => regex.check(pattern),
      readFile: (path) => (path === BESIDE ? Promise.resolve(text) : readFile(path)),
    });
  const strict = await load(false);
  const isLenient = 'issues' in strict;
  const loaded = isLenient ? await load(true) : strict;
  if ('issues' in loaded) throw new Error(formatIssues(loaded.issues));
  const { config, hash, warnings } = loaded;
  const mesh = await createMesh({ config: { checked: config, hash }, random: seededRandom(7), telemetry: { spans: 'off' } });
  return { mesh, isLenient, warnings, close: () => mesh.close({ drainMs: 0 }) };
}

/** Whatever host is asked for: it is asked at the door of the Gateway. */
export function gatewayDoor(mesh: Mesh, gateway: string): Dispatcher {
  const door = `http://${gatewayName(gateway)}`;
  return new MeshDispatcher(
    {
      clock: mesh.clock,
      refusesUnknown: true,
      isClosed: false,
      origin: (origin) => {
        const known = mesh.origin(door);
        return known === null ? null : { ...known, authority: origin.slice(origin.indexOf('://') + '://'.length) };
      },
    },
    { parseDuration: Number, onClose: () => Promise.resolve() },
  );
}

export function gatewayName(gateway: string): string {
  return `${gateway}.${INFRA}.gateway`;
}
