// What certificates say in single bytes.
import { describe, expect, it } from 'vitest';
import { KEY_USAGE, readCertificate } from '../../src/identity/certificate.ts';
import { pemBlocks, pemBytes } from '../../src/identity/pem.ts';
import { authority } from './certificates.ts';

const root = authority('root');

describe('a certificate', () => {
  it('is no authority when it says so in so many bytes', () => {
    const [block = ''] = pemBlocks(root.cert, 'CERTIFICATE');
    const der = Buffer.from(pemBytes(block));
    const yes = Buffer.of(0x30, 3, 1, 1, 0xff);
    const at = der.indexOf(yes);
    expect(at).toBeGreaterThan(0);
    expect(readCertificate(der).isCa).toBe(true);
    der[at + yes.length - 1] = 0;
    expect(readCertificate(der).isCa).toBe(false);
  });

  it('may have uses beyond the first byte', () => {
    const keyUsage = KEY_USAGE.digitalSignature | 0x0080;
    expect(readCertificate(root.issue({ keyUsage }).cert).keyUsage).toBe(keyUsage);
    expect(readCertificate(root.issue({ keyUsage: KEY_USAGE.digitalSignature }).cert).keyUsage).toBe(KEY_USAGE.digitalSignature);
  });

  it('without names has none', () => {
    const { uris, dns, ips } = readCertificate(root.issue({ commonName: 'x' }).cert);
    expect([uris, dns, ips]).toEqual([[], [], []]);
  });

  it('that is none says why', () => {
    expect(() => readCertificate('garbage')).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });
});
