// Certificates made while a test runs, with every fault that can be had (expired, other name, other root, other purpose).
// P-256 throughout, issued by the writer of src/identity.
import { KEY_USAGE } from '../../src/identity/certificate.ts';
import { type CertificateRequest, issueCertificate, keyText, newKeyPair } from '../../src/identity/issue-certificate.ts';

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions extends Partial<Omit<CertificateRequest, 'subject' | 'issuer' | 'publicKey'>> {
  readonly commonName?: string;
  /** @default both */
  readonly usage?: 'server' | 'client' | 'both' | 'none';
}

export interface Authority extends Issued {
  issue(options: LeafOptions): Issued;
  /** An authority below this one. */
  below(commonName: string, options?: LeafOptions): Authority;
  readonly issuer: CertificateRequest['issuer'];
}

export const HOUR_MS = 3_600_000;
const CLIENT = '1.3.6.1.5.5.7.3.2';
const SERVER = '1.3.6.1.5.5.7.3.1';
const USAGES = { server: [SERVER], client: [CLIENT], both: [SERVER, CLIENT], none: undefined } as const;
const AUTHORITY_USAGE = KEY_USAGE.keyCertSign | KEY_USAGE.crlSign;

/** A root of its own, and what it signs. */
export function authority(commonName = 'test root', options: LeafOptions = {}, above?: CertificateRequest['issuer']): Authority {
  const keys = newKeyPair();
  const nowMs = Date.now();
  const issuer = { subject: commonName, keys };
  const cert = issueCertificate({
    subject: commonName,
    publicKey: keys.publicKey,
    issuer: above ?? issuer,
    notBeforeMs: nowMs - HOUR_MS,
    notAfterMs: nowMs + 240 * HOUR_MS,
    isCa: true,
    keyUsage: AUTHORITY_USAGE,
    ...options,
  });
  return {
    cert,
    key: keyText(keys),
    issuer,
    below: (name, more = {}) => authority(name, more, issuer),
    issue({ commonName: subject = '', usage = 'both', ...rest }) {
      const leaf = newKeyPair();
      const extendedKeyUsage = USAGES[usage];
      return {
        key: keyText(leaf),
        cert: issueCertificate({
          subject,
          publicKey: leaf.publicKey,
          issuer,
          notBeforeMs: nowMs - HOUR_MS,
          notAfterMs: nowMs + 24 * HOUR_MS,
          isCa: false,
          keyUsage: KEY_USAGE.digitalSignature,
          ...(extendedKeyUsage === undefined ? {} : { extendedKeyUsage }),
          ...rest,
        }),
      };
    },
  };
}
