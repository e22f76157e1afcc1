// A certificate as our checks need it: what node:crypto shows, and what it does not (raw names, key usage, constraints).
// Names are taken from the DER, never from the printed form, which a hostile name can imitate.
import { X509Certificate } from 'node:crypto';
import { DER, DerError, derAt, derInside, derOid, derSeries, derTime, derValue } from './der.ts';

export interface Certificate {
  readonly x509: X509Certificate;
  readonly der: Uint8Array;
  /** URI names; each byte is one character. */
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  /** As bytes: 4 or 16. */
  readonly ips: readonly Uint8Array[];
  readonly isCa: boolean;
  /** How many intermediates may stand below; Infinity when it does not say. */
  readonly pathLength: number;
  /** Bits of the first two bytes, digitalSignature highest; null when it does not say. */
  readonly keyUsage: number | null;
  /** Object identifiers; null when it does not say. */
  readonly extendedKeyUsage: readonly string[] | null;
  /** DER of the names. */
  readonly subject: string;
  readonly issuer: string;
  /** Hex, as it stands. */
  readonly serial: string;
  /** ms since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export const KEY_USAGE = { digitalSignature: 0x8000, keyCertSign: 0x0400, crlSign: 0x0200 } as const;

export const EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  authorityKeyId: '2.5.29.35',
  subjectKeyId: '2.5.29.14',
  extendedKeyUsage: '2.5.29.37',
} as const;

const VERSION_TAG = 0xa0;
const EXTENSIONS_TAG = 0xa3;
const NAME_TAG = { dns: 0x82, uri: 0x86, ip: 0x87 } as const;

/** Throws an Error with a plain sentence when it cannot be read. */
export function readCertificate(source: Uint8Array | string): Certificate {
  try {
    const x509 = new X509Certificate(source);
    return read(x509, new Uint8Array(x509.raw));
  } catch (error) {
    throw new Error(`the certificate cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function read(x509: X509Certificate, der: Uint8Array): Certificate {
  const [body] = derInside(derAt(der), DER.sequence);
  const fields = derInside(body, DER.sequence);
  const first = fields[0]?.tag === VERSION_TAG ? 1 : 0;
  const [serial, , issuer, validity, subject] = fields.slice(first);
  const [notBefore, notAfter] = derInside(validity, DER.sequence);
  const extensions = extensionsOf(fields.find(({ tag }) => tag === EXTENSIONS_TAG)?.value);
  const { isCa, pathLength } = constraintsOf(extensions.get(EXTENSION.basicConstraints));
  return {
    x509,
    der,
    ...namesOf(extensions.get(EXTENSION.subjectAltName)),
    isCa,
    pathLength,
    keyUsage: usageOf(extensions.get(EXTENSION.keyUsage)),
    extendedKeyUsage: extendedUsageOf(extensions.get(EXTENSION.extendedKeyUsage)),
    subject: derText(derValue(subject, DER.sequence)),
    issuer: derText(derValue(issuer, DER.sequence)),
    serial: Buffer.from(derValue(serial, DER.integer)).toString('hex'),
    notBeforeMs: derTime(notBefore),
    notAfterMs: derTime(notAfter),
  };
}

/** Values by identifier. One that stands twice would mean something else to another reader. */
function extensionsOf(value: Uint8Array | undefined): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (value === undefined) return found;
  for (const extension of derInside(derAt(value), DER.sequence)) {
    const parts = derInside(extension, DER.sequence);
    const id = derOid(parts[0]);
    if (found.has(id)) throw new DerError(`extension ${id} stands twice`);
    found.set(id, derValue(parts.at(-1), DER.octets));
  }
  return found;
}

function constraintsOf(value: Uint8Array | undefined): { readonly isCa: boolean; readonly pathLength: number } {
  if (value === undefined) return { isCa: false, pathLength: Number.POSITIVE_INFINITY };
  const parts = derInside(derAt(value), DER.sequence);
  const isCa = parts[0]?.tag === DER.boolean && parts[0].value[0] !== 0;
  const length = parts.find(({ tag }) => tag === DER.integer);
  return {
    isCa,
    pathLength: length === undefined ? Number.POSITIVE_INFINITY : length.value.reduce((number, byte) => number * 256 + byte, 0),
  };
}

function usageOf(value: Uint8Array | undefined): number | null {
  if (value === undefined) return null;
  const bits = derValue(derAt(value), DER.bits);
  return (bits[1] ?? 0) * 256 + (bits[2] ?? 0);
}

function extendedUsageOf(value: Uint8Array | undefined): readonly string[] | null {
  return value === undefined ? null : derInside(derAt(value), DER.sequence).map(derOid);
}

function namesOf(value: Uint8Array | undefined): Pick<Certificate, 'uris' | 'dns' | 'ips'> {
  const names = value === undefined ? [] : derSeries(derValue(derAt(value), DER.sequence));
  const of = (wanted: number): readonly Uint8Array[] => names.filter(({ tag }) => tag === wanted).map((name) => name.value);
  return { uris: of(NAME_TAG.uri).map(derText), dns: of(NAME_TAG.dns).map(derText), ips: of(NAME_TAG.ip) };
}

/** Bytes as text, one character for each, so that equal text means equal bytes. */
export function derText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
