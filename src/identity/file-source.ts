// An identity in files: Secret volumes with their `..data` symlink, the CSI driver of cert-manager, the folders of Istio's agent
// and of spiffe-helper, plain folders. Read as one picture: where all files lead is looked at before and after, and a key
// that does not fit means that a writer is not done. Source: security notes §5.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runAt, type Timer } from '../core/clock.ts';
import { watchFiles } from '../core/file-watch.ts';
import { FilePicture, isText } from './file-picture.ts';
import { parseBundleMap } from './bundle-map.ts';
import { HeldIdentity, type HeldIdentityDeps } from './held-identity.ts';
import { type IdentityMaterial, readIdentity } from './identity-material.ts';
import type { IdentitySource } from './identity-source.ts';

/** Paths, or PEM text in their place. */
export interface IdentityFiles {
  readonly cert: string;
  readonly key: string;
  /** Absent: `bundles` or `bundleMap` have the roots. */
  readonly ca?: string | undefined;
  /** Roots of other trust domains. */
  readonly bundles?: Readonly<Record<string, string>> | undefined;
  /** A SPIFFE bundle map, JSON. */
  readonly bundleMap?: string | undefined;
  readonly crl?: string | undefined;
  readonly trustDomain?: string | undefined;
}

/** A folder that one of the known writers fills, instead of `cert`, `key` and `ca`. */
export interface IdentityFolder extends Omit<IdentityFiles, 'cert' | 'key' | 'ca'> {
  readonly directory: string;
}

export interface FileSourceDeps extends HeldIdentityDeps {
  /** Looks at the files this often besides, ms. @default 30000 */
  readonly pollMs?: number | undefined;
}

/** Names that known writers give: cert-manager and Kubernetes, Istio's OUTPUT_CERTS, GKE, spiffe-helper. */
const LAYOUTS: readonly (readonly [cert: string, key: string, ca: string])[] = [
  ['tls.crt', 'tls.key', 'ca.crt'],
  ['cert-chain.pem', 'key.pem', 'root-cert.pem'],
  ['certificates.pem', 'private_key.pem', 'ca_certificates.pem'],
  ['svid.pem', 'svid_key.pem', 'svid_bundle.pem'],
];

const POLL_MS = 30_000;
const DEBOUNCE_MS = 100;
/** Tries at once, for a swap of links; then again after a while, for a writer that writes file after file. */
const TRIES_AT_ONCE = 3;
const TRY_AGAIN_MS = 200;
const LATER_TRIES = 5;

/** Reads at once: `current` or `lastError` is there when this returns. */
export function fileSource(files: IdentityFiles | IdentityFolder, deps: FileSourceDeps): IdentitySource {
  const { clock } = deps;
  const held = new HeldIdentity(deps);
  let retry: Timer | null = null;
  let triesLeft = 0;

  function read(): void {
    retry = null;
    try {
      held.offer(readOnce(files, clock.wall()));
    } catch (error) {
      if (triesLeft-- > 0) retry = runAt(clock, clock.now() + TRY_AGAIN_MS, read);
      else held.fail(error as Error);
    }
  }

  // Watch first: a change between reading and watching would go unseen.
  const paths = watchedPaths(files);
  const watch =
    paths.length === 0
      ? null
      : watchFiles(
          paths,
          () => {
            if (retry !== null) clock.disarm(retry);
            triesLeft = LATER_TRIES;
            read();
          },
          { clock, debounceMs: DEBOUNCE_MS, pollMs: deps.pollMs ?? POLL_MS },
        );
  held.onClose = () => {
    if (retry !== null) clock.disarm(retry);
    watch?.close();
  };
  read();
  return held;
}

function watchedPaths(files: IdentityFiles | IdentityFolder): string[] {
  const { bundles = {}, bundleMap, crl } = files;
  const own = 'directory' in files ? [files.directory] : [files.cert, files.key, files.ca];
  const paths = [...own, ...Object.values(bundles), bundleMap, crl];
  return paths.filter((path) => path !== undefined).filter((path) => !isText(path));
}

/** One picture of all files, checked whole; throws an Error with a plain sentence. */
function readOnce(files: IdentityFiles | IdentityFolder, nowMs: number): IdentityMaterial {
  for (let left = TRIES_AT_ONCE; ; left--) {
    try {
      const picture = new FilePicture();
      const material = materialOf(files, picture);
      picture.check();
      readIdentity(material, nowMs);
      return material;
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

function materialOf(files: IdentityFiles | IdentityFolder, picture: FilePicture): IdentityMaterial {
  const { cert, key, ca, ...rest } = 'directory' in files ? inFolder(files) : files;
  const bundles = new Map<string, readonly string[]>();
  if (rest.bundleMap !== undefined) {
    for (const [domain, roots] of parseBundleMap(picture.read(rest.bundleMap, 'bundle map'))) bundles.set(domain, roots);
  }
  for (const [domain, path] of Object.entries(rest.bundles ?? {})) bundles.set(domain, [picture.read(path, `bundle of ${domain}`)]);
  return {
    chain: picture.read(cert, 'certificate'),
    key: picture.read(key, 'key'),
    roots: ca === undefined ? undefined : picture.read(ca, 'ca'),
    bundles,
    crls: rest.crl === undefined ? undefined : picture.read(rest.crl, 'list of revoked certificates'),
    trustDomain: rest.trustDomain,
  };
}

function inFolder({ directory, ...rest }: IdentityFolder): IdentityFiles {
  const layout = LAYOUTS.find(([cert]) => existsSync(join(directory, cert)));
  if (layout === undefined) {
    throw new Error(`${directory} holds no certificate under a known name: ${LAYOUTS.map(([cert]) => cert).join(', ')}`);
  }
  const [cert, key, ca] = layout.map((name) => join(directory, name)) as [string, string, string];
  const hasRoots = existsSync(ca) || (rest.bundleMap === undefined && rest.bundles === undefined);
  return { ...rest, cert, key, ca: hasRoots ? ca : undefined };
}
