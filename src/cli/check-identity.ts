// The identity of this process as a mesh would read it: its folder, the roots of other trust domains, lists of revoked
// certificates. Read once, through the source that a mesh has; an agent is not asked. Never prints what is in a key.
import { systemClock, systemRandom } from '../core/clock.ts';
import { type Certificate, readCertificate } from '../identity/certificate.ts';
import { readCrl } from '../identity/crl.ts';
import type { Identity } from '../identity/identity-source.ts';
import { sourceFrom } from '../identity/source-from-config.ts';
import type { IdentityConfig } from '../model/config.ts';
import { CODES } from '../yaml/analyze/codes.ts';
import { displayName } from '../yaml/files.ts';
import type { CheckFinding } from './check-finding.ts';

const DAY_MS = 86_400_000;
/** What ends sooner than this, or than a fifth of its time, should have been replaced. */
const SOON_MS = 7 * DAY_MS;
const SOON_SHARE = 0.2;

/** Certificate and key that are named one by one, and nothing else, are looked at file by file elsewhere. */
export function checkIdentity(identity: IdentityConfig, cwd: string, nowMs: number = systemClock.wall()): CheckFinding[] {
  const { directory, bundles, bundleMap, crl, spiffe, external } = identity;
  if (spiffe !== undefined || external === true) return [];
  if ([directory, bundles, bundleMap, crl].every((one) => one === undefined)) return [];
  const name = directory === undefined ? 'identity' : displayName(directory, cwd);
  const source = sourceFrom(identity, { clock: systemClock, random: systemRandom });
  const { current, lastError } = source;
  source.close();
  if (current === null) return [finding('INM0305', `${name}: ${lastError?.message ?? 'there is no identity'}`)];
  const faults = [...leafFindings(current, nowMs), ...rootFindings(current, nowMs), ...crlFindings(current, nowMs)];
  return [{ group: 'security', status: 'ok', message: `${name}: ${wholeText(current, nowMs)}` }, ...faults];
}

function finding(code: 'INM0305' | 'INM0306', message: string): CheckFinding {
  const { group, severity, fix } = CODES[code];
  return { group, status: severity, code, message, fix };
}

function wholeText({ spiffeId, notAfterMs, bundles, crls }: Identity, nowMs: number): string {
  const who = spiffeId === '' ? 'a certificate without a SPIFFE ID' : spiffeId;
  const domains = [...bundles.keys()].filter((domain) => domain !== '');
  const trusted = domains.length === 0 ? '' : `, trusts ${domains.join(', ')}`;
  return `${who}, for ${spanText(notAfterMs - nowMs)}${trusted}${crls.length === 0 ? '' : `, ${crls.length} lists of revoked certificates`}`;
}

function spanText(ms: number): string {
  return ms >= DAY_MS ? `${Math.floor(ms / DAY_MS)} days` : `${Math.floor(ms / 3_600_000)} hours`;
}

function leafFindings({ notBeforeMs, notAfterMs }: Identity, nowMs: number): CheckFinding[] {
  if (!isSoon(notBeforeMs, notAfterMs, nowMs)) return [];
  return [finding('INM0306', `the certificate of this process ends on ${dateText(notAfterMs)}, and nothing has replaced it`)];
}

/** A root that is over is passed over, so whoever it vouches for is a stranger. */
function rootFindings({ bundles }: Identity, nowMs: number): CheckFinding[] {
  return [...bundles].flatMap(([domain, roots]) => {
    const of = domain === '' ? '' : ` of ${domain}`;
    if (roots.length === 0) return [finding('INM0306', `the bundle${of} has no roots, so nobody of that trust domain is trusted`)];
    return roots.map(readCertificate).flatMap(({ notBeforeMs, notAfterMs, x509 }: Certificate) => {
      if (!isSoon(notBeforeMs, notAfterMs, nowMs)) return [];
      const ends = notAfterMs <= nowMs ? 'has ended' : 'ends';
      return [finding('INM0306', `the root ${oneLine(x509.subject)}${of} ${ends} on ${dateText(notAfterMs)}`)];
    });
  });
}

function crlFindings({ crls }: Identity, nowMs: number): CheckFinding[] {
  return crls.map(readCrl).flatMap(({ nextUpdateMs }, i) => {
    const name = crls.length === 1 ? 'the list of revoked certificates' : `list ${i + 1} of revoked certificates`;
    if (nextUpdateMs <= nowMs)
      return [finding('INM0305', `${name} was due on ${dateText(nextUpdateMs)}, so whatever its authority has issued is refused`)];
    return nextUpdateMs - nowMs < DAY_MS ? [finding('INM0306', `${name} must be replaced by ${dateText(nextUpdateMs)}`)] : [];
  });
}

function isSoon(notBeforeMs: number, notAfterMs: number, nowMs: number): boolean {
  return notAfterMs - nowMs < Math.min(SOON_MS, (notAfterMs - notBeforeMs) * SOON_SHARE);
}

function dateText(ms: number): string {
  return new Date(ms).toISOString();
}

/** Node writes one line for each part of a name. */
function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}
