// What the package manifest and the lockfile must hold: the runtime dependencies and no more, and the binaries of every
// platform, which some versions of npm leave out when they write a lockfile.

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
  readonly files?: readonly string[];
  readonly version?: string;
}

interface Lockfile {
  readonly version?: string;
  readonly packages: Readonly<Record<string, Manifest & { readonly resolved?: string; readonly hasInstallScript?: boolean }>>;
}

/** Sorted. A new one is a decision, not an accident. */
const RUNTIME = ['cockatiel', 'lru-cache', 're2js', 'undici', 'yaml'];
const OPTIONAL_PEERS = ['@connectrpc/connect', '@grpc/grpc-js', '@opentelemetry/api', 'http-cache-semantics', 'jose'];
/** Run when a user's application starts them, so they are never ours to run at install time. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare'];
const PLATFORMS = ['darwin', 'linux', 'win32'];
const WITH_BINARIES = ['@rolldown/binding', '@oxlint/binding', '@oxlint-tsgolint/'];

export function manifestFaults(manifest: Manifest): string[] {
  const faults: string[] = [];
  const same = (what: string, found: readonly string[], wanted: readonly string[]): void => {
    if (found.join() !== wanted.join())
      faults.push(`package.json: ${what} are ${found.join(', ') || 'none'}, expected ${wanted.join(', ') || 'none'}.`);
  };
  same('dependencies', Object.keys(manifest.dependencies ?? {}).sort(), RUNTIME);
  same('peerDependencies', Object.keys(manifest.peerDependencies ?? {}).sort(), OPTIONAL_PEERS);
  same('optionalDependencies', Object.keys(manifest.optionalDependencies ?? {}).sort(), []);
  for (const script of INSTALL_SCRIPTS)
    if (manifest.scripts?.[script] !== undefined) faults.push(`package.json: no ${script} script; it runs on the machines of others.`);
  if (manifest.allowScripts?.['node'] !== true)
    faults.push('package.json: allowScripts must allow "node", or npm 12 leaves the project without its Node.');
  for (const [name, range] of Object.entries(manifest.devDependencies ?? {}))
    if (!/^(npm:(@[^@]+|[^@]+)@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(range))
      faults.push(`package.json: pin ${name} to one version; ${range} is a range.`);
  return faults;
}

export function lockFaults(manifest: Manifest, lock: Lockfile): string[] {
  const faults: string[] = [];
  const root = lock.packages[''];
  for (const field of ['dependencies', 'devDependencies', 'peerDependencies'] as const)
    if (JSON.stringify(sorted(root?.[field])) !== JSON.stringify(sorted(manifest[field])))
      faults.push(`package-lock.json: ${field} are not those of package.json. Run: npm run relock`);
  if (lock.version !== manifest.version) faults.push('package-lock.json: its version is not that of package.json. Run: npm run relock');
  const paths = Object.keys(lock.packages);
  for (const family of WITH_BINARIES)
    for (const platform of PLATFORMS)
      if (!paths.some((path) => path.includes(`node_modules/${family}`) && path.includes(platform)))
        faults.push(`package-lock.json: no ${family} for ${platform}; npm ci fails there. Run: npm run relock`);
  for (const [path, { resolved, hasInstallScript }] of Object.entries(lock.packages)) {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (resolved !== undefined && /^[a-z+]+:/.test(resolved))
      faults.push(`package-lock.json: ${path} is bound to ${resolved}. Run: npm run relock`);
    if (hasInstallScript === true && manifest.allowScripts?.[name] === undefined)
      faults.push(`package.json: ${name} has an install script; say true or false for it in allowScripts.`);
  }
  return faults;
}

const sorted = (record: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
