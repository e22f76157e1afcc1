// What comes with a certificate, and from the agent that hands it out.
import { parseBundleMap } from '../../../src/identity/bundle-map.ts';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { DerError, derAt, derOid, derSeries, derTime } from '../../../src/identity/der.ts';
import { protobufField, protobufFields } from '../../../src/identity/protobuf.ts';
import { parseSpiffeId, spiffePattern } from '../../../src/identity/spiffe-id.ts';
import { readSvidMessage } from '../../../src/identity/workload-message.ts';
import { type FuzzTarget, hold } from '../target.ts';

/** A refusal for people, and not an accident. */
function holdsRefusal(error: unknown): void {
  const isPlain = error instanceof Error && (error.constructor === Error || error instanceof DerError) && error.message.length > 5;
  if (!isPlain) throw error;
}

/** null: it refused, as it may. */
function orRefusal<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    holdsRefusal(error);
    return null;
  }
}

const bytesOf = (input: string): Buffer => Buffer.from(input, 'latin1');
const charsOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export const spiffeTarget: FuzzTarget = {
  name: 'spiffe-id',
  what: 'a SPIFFE ID is what the standard says, character by character',
  seeds: [
    'spiffe://a.b/ns/n/sa/s',
    'spiffe://td/x',
    'spiffe://td',
    'spiffe://td/../x',
    'spiffe://TD/x',
    'spiffe://td/a/*/b',
    'https://td/x',
  ],
  words: ['spiffe://', '/ns/', '/sa/', '/*', '/.', '..', '%2e', '?', '#', '@', ':443'],
  start: () =>
    Promise.resolve((input) => {
      const id = parseSpiffeId(input);
      const path = /^spiffe:\/\/[a-z0-9._-]{1,255}((?:\/[A-Za-z0-9._-]+)+)$/.exec(input)?.[1];
      const isId = path !== undefined && !/\/\.{1,2}(?=\/|$)/.test(path);
      hold((typeof id === 'object') === isId, `by the standard it is ${isId ? 'one' : 'none'}`);
      const test = orRefusal(() => spiffePattern(input, { name: 'td', aliases: [] }));
      if (typeof id === 'object') hold(test?.(id) === true, 'it does not fit itself as a pattern');
    }),
};

export const derTarget: FuzzTarget = {
  name: 'der',
  what: 'DER is read whole, or refused',
  seeds: [
    '0\x03\x02\x01\x05',
    '\x06\x03U\x1d\x11',
    '\x17\x0d260101000000Z',
    '\x18\x0f20260101000000Z',
    '0\x81\x80' + '\x05\x00'.repeat(64),
    '0\x80',
  ],
  words: ['\x80', '\x81\x80', '\x82\x01\x00', '\x84\xff\xff\xff\xff', '\x06', '\x1f', 'Z', '0', '\x02\x01\x05'],
  isBytes: true,
  lengthMax: 400,
  start: () =>
    Promise.resolve((input) => {
      const bytes = bytesOf(input);
      const series = orRefusal(() => derSeries(bytes));
      if (series !== null) hold(charsOf(Buffer.concat(series.map(({ whole }) => whole))) === input, 'the elements do not add up');
      const first = orRefusal(() => derAt(bytes));
      if (first === null) return;
      hold(first.value.length < first.whole.length && first.whole.length <= bytes.length, 'the value is longer than the element');
      const oid = orRefusal(() => derOid(first));
      hold(oid === null || /^\d+(\.\d+)+$/.test(oid), `an object identifier ${String(oid)}`);
      const timeMs = orRefusal(() => derTime(first));
      hold(timeMs === null || Number.isInteger(timeMs), `a time ${String(timeMs)}`);
    }),
};

export const certificateTarget: FuzzTarget = {
  name: 'certificate',
  what: 'a certificate is read, or refused by a plain sentence',
  seeds: ['0\x82\x01'],
  words: [
    '\x86',
    '\x87',
    '\x82',
    'spiffe://',
    '\x06\x03U\x1d\x11',
    '\x06\x03U\x1d\x13',
    '\x06\x03U\x1d\x0f',
    '\x01\x01\xff',
    '\x03\x02\x07\x80',
  ],
  isBytes: true,
  lengthMax: 1_200,
  start: () =>
    Promise.resolve((input) => {
      const certificate = orRefusal(() => readCertificate(bytesOf(input)));
      if (certificate === null) return;
      const { uris, ips, pathLength, keyUsage, notAfterMs, notBeforeMs } = certificate;
      for (const uri of uris) hold(/^[\0-\xff]*$/.test(uri), 'a name of more than bytes');
      for (const ip of ips) hold(ip.length === 4 || ip.length === 16, `an address of ${ip.length} bytes`);
      hold(pathLength >= 0, `a path of ${pathLength}`);
      hold(keyUsage === null || (keyUsage >= 0 && keyUsage <= 0xffff), `a usage of ${String(keyUsage)}`);
      hold(Number.isFinite(notAfterMs) && Number.isFinite(notBeforeMs), 'a time that is none');
    }),
};

const SVID = charsOf(
  Buffer.concat([
    protobufField(
      1,
      Buffer.concat([
        protobufField(1, 'spiffe://td/a'),
        protobufField(2, bytesOf('0\x00')),
        protobufField(3, 'k'),
        protobufField(4, bytesOf('0\x00')),
      ]),
    ),
    protobufField(3, Buffer.concat([protobufField(1, 'other'), protobufField(2, bytesOf('0\x00'))])),
  ]),
);

export const workloadTarget: FuzzTarget = {
  name: 'workload-message',
  what: 'a message of the Workload API is used whole, or refused by a plain sentence',
  seeds: [SVID, '', '\x0a\x00', '\x08\x01', '\x0d1234', '\x0912345678', '\x12\x02ab'],
  words: ['\x0a', '\x12', '\x1a', '\x22', '\x2a', '\xff\xff\xff\xff\x0f', '\x80', 'spiffe://td/a', 'spiffe://', '\x02', '0\x00'],
  isBytes: true,
  lengthMax: 1_600,
  start: () =>
    Promise.resolve((input) => {
      const bytes = bytesOf(input);
      const fields = orRefusal(() => protobufFields(bytes));
      if (fields !== null) {
        let length = 0;
        for (const [field, values] of fields) {
          hold(Number.isInteger(field) && field >= 0, `a field ${field}`);
          for (const value of values) {
            length += value.length;
            const again = protobufFields(protobufField(field, value)).get(field)?.[0];
            hold(again !== undefined && charsOf(again) === charsOf(value), `field ${field} is read differently when it is written again`);
          }
        }
        hold(length <= bytes.length, 'more came out than went in');
      }
      const material = orRefusal(() => readSvidMessage(bytes, ''));
      if (material !== null) hold((material.bundles?.size ?? 0) > 0 && material.chain !== '' && material.key !== '', 'a part is missing');
    }),
};

export const bundleMapTarget: FuzzTarget = {
  name: 'bundle-map',
  what: 'a bundle map is read, or refused by a plain sentence',
  seeds: [
    '{"trust_domains":{"a":{"keys":[{"use":"x509-svid","x5c":["AAAA"]}]}}}',
    '{"trust_domains":{}}',
    '{"trust_domains":{"__proto__":{"keys":[null]}}}',
    '{"trust_domains":{"a":{"keys":[{"use":"jwt-svid"}]}}}',
  ],
  words: ['"trust_domains":', '"keys":', '"use":', '"x509-svid"', '"x5c":', 'null', '[', '{', '"__proto__":', '""'],
  start: () =>
    Promise.resolve((input) => {
      const bundles = orRefusal(() => parseBundleMap(input));
      for (const roots of bundles?.values() ?? [])
        for (const root of roots) hold(root.startsWith('-----BEGIN CERTIFICATE-----'), `a root ${root}`);
    }),
};
