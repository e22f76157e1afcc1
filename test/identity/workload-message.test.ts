// Messages of the Workload API that are nearly right, and protobuf by single bytes.
import { createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/identity/certificate.ts';
import { pemBlocks, pemBytes } from '../../src/identity/pem.ts';
import { protobufField, protobufFields } from '../../src/identity/protobuf.ts';
import { readSvidMessage } from '../../src/identity/workload-message.ts';
import { type AgentSvid, svidMessage } from '../support/spiffe-agent.ts';
import { authority } from './certificates.ts';

const root = authority('root');
const below = root.below('below');
const ID = 'spiffe://a.test/x';

function svid(spiffeId = ID, more: Partial<AgentSvid> = {}): AgentSvid {
  const { cert, key } = below.issue({ uris: [spiffeId] });
  return { spiffeId, chain: [cert, below.cert], key, bundle: [root.cert], ...more };
}

describe('which SVID is taken', () => {
  const [one, other] = [svid(ID, { hint: 'one' }), svid('spiffe://a.test/y', { hint: 'other' })];
  const idOf = (hint: string): string => readCertificate(readSvidMessage(svidMessage({ svids: [one, other] }), hint).chain).uris.join();

  it('is the first, whatever its hint, or the one of the hint', () => {
    expect([idOf(''), idOf('one'), idOf('other')]).toEqual([ID, ID, 'spiffe://a.test/y']);
  });

  it('none is said in as many words', () => {
    expect(() => readSvidMessage(svidMessage({ svids: [] }), '')).toThrow(/^the agent sent no SVID$/);
    expect(() => readSvidMessage(svidMessage({ svids: [one] }), 'x')).toThrow(/^the agent sent no SVID with the hint "x"$/);
  });
});

describe('a message', () => {
  it('gives the chain and the lists one after the other, and nothing between', () => {
    const crl = Buffer.from([0x30, 0]);
    const message = Buffer.concat([svidMessage({ svids: [svid()] }), protobufField(2, crl), protobufField(2, crl)]);
    const { chain, crls = '' } = readSvidMessage(message, '');
    expect(chain).toMatch(/^(?:-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n){2}$/);
    expect(crls).toMatch(/^(?:-----BEGIN X509 CRL-----\n[\w+/=\n]+-----END X509 CRL-----\n){2}$/);
    expect(pemBlocks(chain, 'CERTIFICATE')).toHaveLength(2);
  });

  it('names domains with their scheme or without', () => {
    const domains = (domain: string): string[] => [
      ...(readSvidMessage(svidMessage({ svids: [svid()], federated: { [domain]: [root.cert] } }), '').bundles?.keys() ?? []),
    ];
    expect([domains('spiffe://b.test'), domains('b.test')]).toEqual([
      ['b.test', 'a.test'],
      ['b.test', 'a.test'],
    ]);
    expect(() => domains('x-spiffe://b.test')).toThrow('the agent sent a bundle of "x-spiffe://b.test"');
    expect(() => domains('')).toThrow('the agent sent a bundle of ""');
  });

  it('without a field for the key is refused, and a certificate with two names', () => {
    const { cert, key } = below.issue({ uris: [ID, 'spiffe://a.test/z'] });
    const keyless = [protobufField(1, ID), protobufField(2, pemBytes(cert)), protobufField(4, pemBytes(root.cert))];
    expect(() => readSvidMessage(protobufField(1, Buffer.concat(keyless)), '')).toThrow(`the agent sent ${ID} without its certificate`);
    expect(() => readSvidMessage(svidMessage({ svids: [svid(ID, { chain: [cert], key })] }), '')).toThrow('of somebody else');
  });

  it('has the key as it is', () => {
    const own = svid();
    const { key } = readSvidMessage(svidMessage({ svids: [own] }), '');
    expect(createPrivateKey(key).equals(createPrivateKey(own.key))).toBe(true);
  });
});

describe('numbers of protobuf', () => {
  it.each([
    [127, [0x7f]],
    [128, [0x80, 1]],
    [300, [0xac, 2]],
  ])('a length of %i is written as %j', (length, bytes) => {
    const written = protobufField(1, Buffer.alloc(length));
    expect([...written.subarray(1, 1 + bytes.length)]).toEqual(bytes);
    expect(protobufFields(written).get(1)?.[0]).toHaveLength(length);
  });

  it('have ten bytes at most, and end', () => {
    const nine = [...new Array<number>(9).fill(0x80), 0];
    expect(protobufFields(Uint8Array.of(0x08, ...nine)).size).toBe(0);
    expect(() => protobufFields(Uint8Array.of(0x08, 0x80, ...nine))).toThrow('a number that does not end');
    expect(() => protobufFields(Uint8Array.of(0x08, 0x80))).toThrow('a number that does not end');
  });
});
