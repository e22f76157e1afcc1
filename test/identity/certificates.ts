// Certificates made while a test runs: a small DER writer over node:crypto, so that no tool has to be installed and
// every fault (expired, other name, other root) can be had. P-256 throughout.
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface LeafOptions {
  readonly commonName?: string;
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  readonly ips?: readonly string[];
  /** Unix time, ms. @default an hour ago, and in a day */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** @default both */
  readonly usage?: 'server' | 'client' | 'both';
}

export interface Authority extends Issued {
  issue(options: LeafOptions): Issued;
}

const HOUR_MS = 3_600_000;

function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

const seq = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);
const bool = (): Buffer => tlv(0x01, Buffer.from([0xff]));
const octets = (value: Buffer): Buffer => tlv(0x04, value);

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) septets.unshift((left & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return tlv(0x06, Buffer.from(bytes));
}

function time(ms: number): Buffer {
  return tlv(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')));
}

const ECDSA_SHA256 = seq(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const EXTENSION = { keyUsage: '2.5.29.15', subjectAltName: '2.5.29.17', basicConstraints: '2.5.29.19', extKeyUsage: '2.5.29.37' };
const USAGES = { server: ['1.3.6.1.5.5.7.3.1'], client: ['1.3.6.1.5.5.7.3.2'], both: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] };

function nameOf(commonName: string): Buffer {
  return commonName === '' ? seq() : seq(tlv(0x31, seq(oid(COMMON_NAME), tlv(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return isCritical ? seq(oid(id), bool(), octets(value)) : seq(oid(id), octets(value));
}

function altNames({ dns = [], uris = [], ips = [] }: LeafOptions): Buffer {
  return seq(
    ...dns.map((name) => tlv(0x82, Buffer.from(name))),
    ...uris.map((uri) => tlv(0x86, Buffer.from(uri))),
    ...ips.map((ip) => tlv(0x87, Buffer.from(ip.split('.').map(Number)))),
  );
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

interface Request {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: Buffer;
  readonly signingKey: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: readonly Buffer[];
}

function certificate(request: Request): string {
  const serial = randomBytes(12);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const body = seq(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ECDSA_SHA256,
    nameOf(request.issuer),
    seq(time(request.notBeforeMs), time(request.notAfterMs)),
    nameOf(request.subject),
    request.publicKey,
    tlv(0xa3, seq(...request.extensions)),
  );
  const signature = sign('sha256', body, createPrivateKey(request.signingKey));
  return pem('CERTIFICATE', seq(body, ECDSA_SHA256, tlv(0x03, Buffer.from([0]), signature)));
}

function keyPair(): { readonly key: string; readonly publicKey: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

/** A root of its own, and what it signs. */
export function authority(commonName = 'test root'): Authority {
  const root = keyPair();
  const nowMs = Date.now();
  const cert = certificate({
    subject: commonName,
    issuer: commonName,
    publicKey: root.publicKey,
    signingKey: root.key,
    notBeforeMs: nowMs - HOUR_MS,
    notAfterMs: nowMs + 240 * HOUR_MS,
    extensions: [
      extension(EXTENSION.basicConstraints, true, seq(bool())),
      extension(EXTENSION.keyUsage, true, tlv(0x03, Buffer.from([1, 0x06]))),
    ],
  });
  return {
    cert,
    key: root.key,
    issue(options) {
      const leaf = keyPair();
      return {
        key: leaf.key,
        cert: certificate({
          subject: options.commonName ?? '',
          issuer: commonName,
          publicKey: leaf.publicKey,
          signingKey: root.key,
          notBeforeMs: options.notBeforeMs ?? nowMs - HOUR_MS,
          notAfterMs: options.notAfterMs ?? nowMs + 24 * HOUR_MS,
          extensions: [
            extension(EXTENSION.basicConstraints, true, seq()),
            extension(EXTENSION.keyUsage, true, tlv(0x03, Buffer.from([7, 0x80]))),
            extension(EXTENSION.extKeyUsage, false, seq(...USAGES[options.usage ?? 'both'].map(oid))),
            extension(EXTENSION.subjectAltName, options.commonName === undefined, altNames(options)),
          ],
        }),
      };
    },
  };
}
