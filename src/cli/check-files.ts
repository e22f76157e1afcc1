// The files that a configuration names: endpoint lists that can be read, certificates that hold, keys that fit them.
// Never prints what is in a key.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../core/clock.ts';
import type { MeshConfig } from '../model/config.ts';
import { describeIssue } from '../yaml/format.ts';
import { displayName } from '../yaml/files.ts';
import { parseEndpointsFile } from '../yaml/load.ts';
import type { CheckFinding } from './check-finding.ts';
import { checkIdentity } from './check-identity.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 7;

interface Certificates {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export async function checkFiles(config: MeshConfig, cwd: string): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = [];
  for (const { name, endpoints } of Object.values(config.services)) {
    if (endpoints.kind === 'file') findings.push(...(await checkEndpoints(name, endpoints.path, cwd)));
  }
  const sets = new Map<string, Certificates>();
  if (config.identity !== null) sets.set(setKey(config.identity), config.identity);
  for (const { tls } of Object.values(config.services)) if (tls.cert !== undefined || tls.ca !== undefined) sets.set(setKey(tls), tls);
  for (const set of sets.values()) findings.push(...(await checkCertificates(set, cwd)));
  if (config.identity !== null) findings.push(...checkIdentity(config.identity, cwd));
  return findings;
}

function setKey({ cert = '', key = '', ca = '' }: Certificates): string {
  return JSON.stringify([cert, key, ca]);
}

async function checkEndpoints(service: string, path: string, cwd: string): Promise<CheckFinding[]> {
  const group = 'endpoint files';
  const name = displayName(path, cwd);
  const text = await readText(path);
  if (text === null) {
    return [
      {
        group,
        status: 'error',
        message: `${name} of service "${service}" cannot be read`,
        fix: 'write the file, or correct endpointsFile',
      },
    ];
  }
  const result = await parseEndpointsFile(text, name);
  if ('endpoints' in result) {
    const count = result.endpoints.length;
    return [
      { group, status: 'ok', message: `${name}: ${count} endpoint${count === 1 ? '' : 's'} of service "${service}"`, endpoints: count },
    ];
  }
  return result.issues.map((issue) => ({
    group,
    status: issue.severity,
    message: describeIssue(issue),
    fix: 'the form is that of endpoints in a service: a list of host:port',
    ...(issue.position === undefined ? {} : { position: issue.position }),
    ...(issue.frame === undefined ? {} : { frame: issue.frame }),
  }));
}

async function checkCertificates({ cert, key, ca }: Certificates, cwd: string): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = [];
  const chain = cert === undefined ? null : await checkPem(cert, 'certificate', cwd, findings);
  if (ca !== undefined) await checkPem(ca, 'roots', cwd, findings);
  if (key !== undefined) {
    const name = pemName(key, 'key', cwd);
    const text = await readPem(key);
    const fault = keyFault(text, chain);
    findings.push(
      fault === null
        ? { group: 'certificates', status: 'ok', message: `${name}: fits its certificate` }
        : {
            group: 'certificates',
            status: 'error',
            message: `${name}: ${fault}`,
            fix: 'give the unencrypted PEM key that belongs to cert',
          },
    );
  }
  return findings;
}

function keyFault(text: string | null, chain: X509Certificate | null): string | null {
  if (text === null) return 'cannot be read';
  try {
    const key = createPrivateKey(text);
    return chain === null || chain.checkPrivateKey(key) ? null : 'does not belong to the certificate';
  } catch {
    // The library's message may quote what it was given.
    return 'is not a private key that can be used';
  }
}

/** The first certificate of the text, after saying whether it holds. */
async function checkPem(pem: string, what: string, cwd: string, findings: CheckFinding[]): Promise<X509Certificate | null> {
  const group = 'certificates';
  const name = pemName(pem, what, cwd);
  const text = await readPem(pem);
  const certificate = text === null ? null : parseCertificate(text);
  if (certificate === null) {
    const message = `${name}: ${text === null ? 'cannot be read' : 'is not a PEM certificate'}`;
    findings.push({ group, status: 'error', message, fix: 'give the path of a PEM file, or PEM text' });
    return null;
  }
  const leftMs = certificate.validToDate.getTime() - systemClock.wall();
  const days = Math.floor(leftMs / DAY_MS);
  if (leftMs <= 0) findings.push({ group, status: 'error', message: `${name}: expired on ${certificate.validTo}`, fix: 'renew it' });
  else if (days < SOON_DAYS) {
    findings.push({
      group,
      status: 'warning',
      message: `${name}: expires on ${certificate.validTo}`,
      fix: 'renew it, or see that something does',
    });
  } else findings.push({ group, status: 'ok', message: `${name}: valid for ${days} days` });
  return certificate;
}

function parseCertificate(text: string): X509Certificate | null {
  try {
    return new X509Certificate(text);
  } catch {
    return null;
  }
}

function pemName(pem: string, what: string, cwd: string): string {
  return pem.includes('-----BEGIN ') ? `${what} in the configuration` : displayName(pem, cwd);
}

function readPem(pem: string): Promise<string | null> {
  return pem.includes('-----BEGIN ') ? Promise.resolve(pem) : readText(pem);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}
