// Certificates and lists of revoked ones, signed with P-256: what the development CA issues, and what tests need with every
// fault. Issues what it is told; the rules are those of its callers. Source: RFC 5280 §4 and §5.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { EXTENSION } from './certificate.ts';
import { DER } from './der.ts';
import { bitBytes, bits, integer, objectId, octets, sequence, time, tlv, TRUE } from './der-write.ts';
import { addressBytes } from './expected-peer.ts';
import { pemText } from './pem.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface CertificateRequest {
  /** Common name; '' for none. */
  readonly subject: string;
  readonly publicKey: KeyObject;
  /** Common name and key of who signs. */
  readonly issuer: { readonly subject: string; readonly keys: KeyPair };
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Absent: no basic constraints at all. */
  readonly isCa?: boolean;
  /** How many intermediates may stand below. Absent: any number. */
  readonly pathLength?: number;
  /** Bits as in KEY_USAGE. Absent: it does not say. */
  readonly keyUsage?: number;
  /** Object identifiers. Absent: it does not say. */
  readonly extendedKeyUsage?: readonly string[];
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

export interface CrlRequest {
  readonly issuer: CertificateRequest['issuer'];
  /** Serial numbers, hex. */
  readonly revoked: readonly string[];
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
}

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'));
const COMMON_NAME = objectId('2.5.4.3');
const EXPLICIT = 0xa0;
const KEY_ID_TAG = 0x80;
const NAME_TAG = { dns: 0x82, uri: 0x86, ip: 0x87 } as const;

export function newKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function keyText({ privateKey }: KeyPair): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** PEM. */
export function issueCertificate(request: CertificateRequest): string {
  const { issuer, subject, publicKey } = request;
  const body = sequence(
    tlv(EXPLICIT, integer(2)),
    integer(serialNumber()),
    ECDSA_SHA256,
    name(issuer.subject),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(EXPLICIT + 3, sequence(...extensions(request))),
  );
  return pemText('CERTIFICATE', signed(body, issuer.keys));
}

/** PEM, with the label that Node wants. */
export function issueCrl({ issuer, revoked, thisUpdateMs, nextUpdateMs }: CrlRequest): string {
  const entries = revoked.map((serial) => sequence(integer(Buffer.from(serial, 'hex')), time(thisUpdateMs)));
  const body = sequence(
    integer(1),
    ECDSA_SHA256,
    name(issuer.subject),
    time(thisUpdateMs),
    time(nextUpdateMs),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    tlv(EXPLICIT, sequence(authorityKeyId(issuer.keys), extension(EXTENSION.crlNumber, false, integer(serialNumber())))),
  );
  return pemText('X509 CRL', signed(body, issuer.keys));
}

function signed(body: Buffer, { privateKey }: KeyPair): Buffer {
  return sequence(body, ECDSA_SHA256, bitBytes(sign('sha256', body, privateKey)));
}

/** Positive, without a zero in front. */
function serialNumber(): Buffer {
  const serial = randomBytes(12);
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}

function name(commonName: string): Buffer {
  return commonName === '' ? sequence() : sequence(tlv(DER.set, sequence(COMMON_NAME, tlv(DER.utf8, Buffer.from(commonName)))));
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Buffer {
  return sequence(objectId(id), ...(isCritical ? [TRUE] : []), octets(value));
}

function extensions({
  isCa,
  pathLength,
  keyUsage,
  extendedKeyUsage,
  uris = [],
  dns = [],
  ips = [],
  ...request
}: CertificateRequest): Buffer[] {
  const list = [extension(EXTENSION.subjectKeyId, false, octets(keyId(request.publicKey))), authorityKeyId(request.issuer.keys)];
  if (isCa !== undefined) {
    const parts = [...(isCa ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
    list.push(extension(EXTENSION.basicConstraints, true, sequence(...parts)));
  }
  if (keyUsage !== undefined) list.push(extension(EXTENSION.keyUsage, true, bits(keyUsage)));
  if (extendedKeyUsage !== undefined) {
    list.push(extension(EXTENSION.extendedKeyUsage, false, sequence(...extendedKeyUsage.map(objectId))));
  }
  const names = [
    ...uris.map((uri) => tlv(NAME_TAG.uri, Buffer.from(uri, 'latin1'))),
    ...dns.map((one) => tlv(NAME_TAG.dns, Buffer.from(one, 'latin1'))),
    ...ips.map((ip) => tlv(NAME_TAG.ip, addressBytes(ip))),
  ];
  // Critical where there is no subject besides: RFC 5280 §4.2.1.6.
  if (names.length > 0) list.push(extension(EXTENSION.subjectAltName, request.subject === '', sequence(...names)));
  return list;
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function authorityKeyId({ publicKey }: KeyPair): Buffer {
  return extension(EXTENSION.authorityKeyId, false, sequence(tlv(KEY_ID_TAG, keyId(publicKey))));
}
