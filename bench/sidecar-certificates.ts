// Certificates for one run, from a development CA of our own, as files that every proxy can read: one for the calling side, one
// for the answering one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newAuthority } from '../src/identity/dev-authority.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Certificate and key in one file, as HAProxy wants them. */
  readonly both: string;
}

export interface Certificates {
  readonly caller: TlsFiles;
  readonly server: TlsFiles;
}

const TRUST_DOMAIN = 'cluster.local';
/** The name in the certificate of the answering side. */
export const SERVER_NAME = 'items';
export const SERVER_ID: string = `spiffe://${TRUST_DOMAIN}/ns/default/sa/${SERVER_NAME}`;

export function issueCertificates(folder: string): Certificates {
  const nowMs = Date.now();
  const authority = newAuthority({ trustDomain: TRUST_DOMAIN, nowMs });
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.root);
  const issue = (name: string): TlsFiles => {
    const { chain, key } = authority.issue({ spiffeId: `spiffe://${TRUST_DOMAIN}/ns/default/sa/${name}`, dns: [name], nowMs });
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`), ca, both: join(folder, `${name}.both`) };
    writeFileSync(files.cert, chain.join(''));
    writeFileSync(files.key, key, { mode: 0o600 });
    writeFileSync(files.both, `${chain.join('')}${key}`, { mode: 0o600 });
    return files;
  };
  return { caller: issue('caller'), server: issue(SERVER_NAME) };
}
