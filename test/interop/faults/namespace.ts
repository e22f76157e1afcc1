// A network of its own for one fault: a Linux network namespace whose loopback nftables spoils. Started again under unshare, because
// a process cannot move into a namespace from JavaScript. Needs root or user namespaces; says in one sentence when it has neither.
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('namespace-child.ts', import.meta.url));
const CHILD_MS_MAX = 60_000;

let reason: string | null | undefined;

/** As root a network namespace is enough; else a user namespace comes with it. */
function flags(): string {
  return process.getuid?.() === 0 ? '-n' : '-rn';
}

/** Why there can be no namespace here; null when there can. */
export function namespaceMissing(): string | null {
  if (reason !== undefined) return reason;
  reason = null;
  try {
    execFileSync('unshare', [flags(), 'sh', '-c', 'ip link set lo up && nft list tables'], { stdio: 'pipe' });
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    const said =
      code === 'ENOENT'
        ? 'there is no unshare'
        : String(stderr ?? '')
            .trim()
            .split('\n')[0];
    reason = `network namespaces with nftables cannot be used here: ${said === '' ? 'not permitted' : said}`;
  }
  return reason;
}

/** What the scenario says, run by this very Node in a namespace of its own. */
export async function inNamespace(scenario: string, protocol: string, dist = ''): Promise<string> {
  const args = [flags(), process.execPath, '--disable-warning=ExperimentalWarning', CHILD, scenario, protocol, dist];
  const { stdout } = await run('unshare', args, { timeout: CHILD_MS_MAX });
  return stdout.trim();
}
