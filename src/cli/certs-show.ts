// `inmesh certs show`: what stands in files of certificates, in words.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { type Certificate, KEY_USAGE, readCertificate } from '../identity/certificate.ts';
import { pemBlocks } from '../identity/pem.ts';
import { type Run, UsageError } from './command.ts';
import { heading, sign, type Status } from './paint.ts';

interface Shown {
  readonly file: string;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  readonly isAuthority: boolean;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly signs: boolean;
  readonly fingerprint: string;
  readonly status: Status;
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 7;

export const certsShow: Run = ({ positionals, values, terminal }) => {
  if (positionals.length === 0) throw new UsageError('name a file of certificates: inmesh certs show certs/reviews/tls.crt');
  const shown = positionals.flatMap((file) => {
    const blocks = pemBlocks(readFileSync(resolve(terminal.cwd, file), 'utf8'), 'CERTIFICATE');
    if (blocks.length === 0) throw new Error(`${file} holds no certificate`);
    return blocks.map((block) => describe(file, readCertificate(block)));
  });
  if (values.json === true) terminal.out(`${JSON.stringify(shown)}\n`);
  else for (const one of shown) terminal.out(`${inWords(one)}\n`);
  return Promise.resolve(shown.some(({ status }) => status === 'error') ? 1 : 0);
};

function describe(file: string, certificate: Certificate): Shown {
  const { x509, uris, dns, isCa, notBeforeMs, notAfterMs, keyUsage } = certificate;
  const leftMs = notAfterMs - systemClock.wall();
  const isLate = leftMs <= 0 || systemClock.wall() < notBeforeMs;
  // A short life near its end is renewed by whoever made it.
  const isSoon = leftMs < Math.min(SOON_DAYS * DAY_MS, (notAfterMs - notBeforeMs) / 10);
  return {
    file,
    uris,
    dns,
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    isAuthority: isCa,
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter: new Date(notAfterMs).toISOString(),
    signs: keyUsage === null || (keyUsage & KEY_USAGE.digitalSignature) !== 0,
    fingerprint: x509.fingerprint256,
    status: isLate ? 'error' : isSoon ? 'warning' : 'ok',
  };
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}

function inWords({ file, uris, dns, subject, issuer, isAuthority, notBefore, notAfter, fingerprint, status }: Shown): string {
  const rows: [string, string][] = [
    ['ID', uris.join(', ')],
    ['DNS names', dns.join(', ')],
    ['subject', subject],
    ['issuer', issuer],
    ['kind', isAuthority ? 'authority' : 'leaf'],
    ['valid', `${notBefore} to ${notAfter} ${sign(status)}`],
    ['SHA-256', fingerprint],
  ];
  const lines = rows.filter(([, value]) => value !== '').map(([name, value]) => `${name.padEnd(10)} ${value}`);
  return `${heading(file)}\n${lines.join('\n')}\n`;
}
