// `inmesh certs verify`: whether certificate, key and roots are an identity, as a mesh would find when it reads them.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock, systemRandom } from '../core/clock.ts';
import { expectedNames } from '../identity/expected-peer.ts';
import { fileSource, type IdentityFiles, type IdentityFolder } from '../identity/file-source.ts';
import { isIdentityFailure } from '../identity/identity-failure.ts';
import type { Identity } from '../identity/identity-source.ts';
import { pemBytes } from '../identity/pem.ts';
import { trustOf } from '../identity/trust.ts';
import { verifyPeer } from '../identity/verify-peer.ts';
import { type CommandInput, type Run, UsageError } from './command.ts';
import { sign } from './paint.ts';

export const certsVerify: Run = (input) => {
  const { values, terminal } = input;
  const source = fileSource(filesOf(input), { clock: systemClock, random: systemRandom });
  const { current, lastError } = source;
  source.close();
  const fault = current === null ? (lastError?.message ?? 'there is no identity') : asPeer(current, values.expect);
  if (values.json === true) {
    const found =
      current === null
        ? {}
        : { spiffeId: current.spiffeId, notAfter: new Date(current.notAfterMs).toISOString(), trustDomains: [...current.bundles.keys()] };
    terminal.out(`${JSON.stringify({ ok: fault === null, ...found, ...(fault === null ? {} : { fault }) })}\n`);
  } else if (fault === null) {
    const { spiffeId, notAfterMs } = current as Identity;
    terminal.out(
      `${sign('ok')} ${spiffeId || 'a certificate without a SPIFFE ID'}, until ${new Date(notAfterMs).toISOString()}: chain, key and roots fit\n`,
    );
  } else terminal.err(`${sign('error')} ${fault}\n`);
  return Promise.resolve(fault === null ? 0 : 1);
};

function filesOf({ positionals, values, terminal }: CommandInput): IdentityFiles | IdentityFolder {
  const [given, ...others] = positionals;
  if (given === undefined || others.length > 0) throw new UsageError('name one folder, or one certificate with --key and --ca');
  const path = resolve(terminal.cwd, given);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return { directory: path };
  const { key, ca } = values;
  if (typeof key !== 'string' || typeof ca !== 'string')
    throw new UsageError('a certificate is verified with its key and roots: give --key and --ca, or name a folder');
  return { cert: path, key: resolve(terminal.cwd, key), ca: resolve(terminal.cwd, ca) };
}

/** As those who trust the same roots would find it. */
function asPeer(identity: Identity, expect: CommandInput['values'][string]): string | null {
  const trust = trustOf(identity);
  const expected = typeof expect === 'string' ? expectedNames([expect], trust.local) : null;
  const chain = identity.chain.map(pemBytes);
  for (const side of ['server', 'client'] as const) {
    const verdict = verifyPeer(chain, { trust, expected, side }, systemClock.wall());
    if (isIdentityFailure(verdict)) return `as a ${side}: ${verdict.message}`;
  }
  return null;
}
