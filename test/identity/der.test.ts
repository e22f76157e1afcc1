// DER by single bytes: what is on either side of each limit.
import { describe, expect, it } from 'vitest';
import { DER, DerError, derAt, derOid, derTime, derValue } from '../../src/identity/der.ts';
import { objectId, time, tlv } from '../../src/identity/der-write.ts';

function failure(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('elements', () => {
  it('may have a length of four bytes', () => {
    expect(failure(() => derAt(Uint8Array.of(0x30, 0x84, 1, 0, 0, 0)))).toMatchObject({ message: 'ends within an element' });
    expect(failure(() => derAt(Uint8Array.of(0x30, 0x85, 1, 0, 0, 0, 0)))).toMatchObject({ message: 'a length that cannot be' });
  });

  it('that are not there are faults of form', () => {
    for (const fault of [
      failure(() => derTime(undefined)),
      failure(() => derValue(undefined, DER.octets)),
      failure(() => derOid(undefined)),
    ]) {
      expect(fault).toBeInstanceOf(DerError);
      expect(fault).toMatchObject({ name: 'DerError' });
    }
  });
});

describe('object identifiers', () => {
  it.each(['1.2.16384', '1.2.128', '1.2.127', '1.2.2097152.1', '2.999.3'])('%s is read as it was written', (text) => {
    expect(derOid(derAt(objectId(text)))).toBe(text);
  });

  it('have bytes that go on where their highest bit is set', () => {
    expect([...objectId('1.2.16384')]).toEqual([DER.oid, 4, 42, 0x81, 0x80, 0]);
    expect(derOid(derAt(Uint8Array.of(DER.oid, 4, 42, 0x81, 0x80, 0)))).toBe('1.2.16384');
  });
});

describe('times', () => {
  it.each([
    [DER.utcTime, '491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
    [DER.utcTime, '500101000000Z', Date.UTC(1950, 0, 1)],
    [DER.utcTime, '510101000000Z', Date.UTC(1951, 0, 1)],
    [DER.generalizedTime, '20500101000000Z', Date.UTC(2050, 0, 1)],
  ])('%i %s', (tag, text, ms) => {
    expect(derTime(derAt(tlv(tag, Buffer.from(text))))).toBe(ms);
  });

  it.each([
    [DER.utcTime, '20490101000000Z'],
    [DER.generalizedTime, '490101000000Z'],
    [DER.generalizedTime, 'x20490101000000Z'],
    [DER.generalizedTime, '20490101000000Zx'],
    [DER.utcTime, '9490101000000Z'],
    [DER.utcTime, '490101000000ZZ'],
  ])('%i %s is none', (tag, text) => {
    expect(() => derTime(derAt(tlv(tag, Buffer.from(text))))).toThrow('a time that cannot be read');
  });

  it('are written short up to 2049, as RFC 5280 wants it', () => {
    const tagOf = (ms: number): number => derAt(time(ms)).tag;
    expect([Date.UTC(2026, 0, 1), Date.UTC(2050, 0, 1) - 1, Date.UTC(2050, 0, 1)].map(tagOf)).toEqual([
      DER.utcTime,
      DER.utcTime,
      DER.generalizedTime,
    ]);
  });
});
