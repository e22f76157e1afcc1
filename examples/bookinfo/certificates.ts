// The authority of the demo and what it issues: a certificate for each service, in a folder of its own, as cert-manager would
// leave it. `inmesh certs dev` does the same from the command line. Issued anew, all services take the new ones while they run.
import { X509Certificate } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DevAuthority, newAuthority } from 'inmesh/identity';

/** In a mesh on Kubernetes the names are the same: trust domain, namespace, service account. */
const TRUST_DOMAIN = 'cluster.local';

export function spiffeIdOf(service: string): string {
  return `spiffe://${TRUST_DOMAIN}/ns/default/sa/${service}`;
}

/** The name of the service that an ID of ours is about. */
export function serviceOf(spiffeId: string): string {
  return spiffeId.split('/').at(-1) ?? '';
}

export class Certificates {
  readonly #folder: string;
  readonly #lifeMs: number;
  readonly #authority: DevAuthority = newAuthority({ trustDomain: TRUST_DOMAIN, nowMs: Date.now() });
  readonly #generations: Map<string, number> = new Map();
  /** Of the newest: 1 for the first ones. */
  generation = 0;

  constructor(folder: string, lifeMs: number) {
    this.#folder = folder;
    this.#lifeMs = lifeMs;
  }

  /** A new one for each service. */
  issue(services: readonly string[]): void {
    this.generation++;
    for (const service of services) {
      const { chain, key } = this.#authority.issue({ spiffeId: spiffeIdOf(service), nowMs: Date.now(), lifeMs: this.#lifeMs });
      const folder = join(this.#folder, service);
      mkdirSync(folder, { recursive: true });
      put(join(folder, 'ca.crt'), this.#authority.root);
      put(join(folder, 'tls.key'), key);
      put(join(folder, 'tls.crt'), chain.join(''));
      this.#generations.set(new X509Certificate(chain[0] ?? '').fingerprint256, this.generation);
    }
  }

  /** Of the certificate with this fingerprint. */
  generationOf(fingerprint: string): number {
    return this.#generations.get(fingerprint) ?? 0;
  }
}

/** Renamed into place, so that no reader ever sees half a file. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.draft`, text, { mode: 0o600 });
  renameSync(`${path}.draft`, path);
}
