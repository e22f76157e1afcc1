// Where this process has its certificate from: one way, whole.
import type { IdentityConfig } from './config.ts';
import type { IdentityInput } from './input.ts';
import type { Report } from './report.ts';

const FILES = ['cert', 'key', 'ca'] as const;
const WAYS = ['directory', 'spiffe', 'external'] as const;
const CHOICE = 'cert, key and ca, or directory, or spiffe, or external';

export function resolveIdentity(input: IdentityInput, report: Report): IdentityConfig {
  const path = ['identity'];
  const files = FILES.filter((name) => input[name] !== undefined);
  const ways = WAYS.filter((name) => input[name] !== undefined);
  if (ways.length + (files.length > 0 ? 1 : 0) > 1) {
    report.error(path, `identity has ${[...files, ...ways].join(', ')}; give either ${CHOICE}`);
  } else if (ways.length === 0) {
    const hasRoots = input.bundleMap !== undefined || input.bundles !== undefined;
    const missing = FILES.filter((name) => input[name] === undefined && !(name === 'ca' && hasRoots));
    if (missing.length > 0) report.error(path, `identity lacks ${missing.join(', ')}; give ${CHOICE}`);
  }
  if (input.spiffe === undefined && input.hint !== undefined)
    report.error([...path, 'hint'], 'identity: hint chooses among what a SPIFFE agent has; it needs spiffe');
  return input;
}
