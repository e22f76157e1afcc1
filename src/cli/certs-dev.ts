// `inmesh certs dev`: a CA and a certificate for each service, in folders that `identity: { directory }` reads. Run again it
// renews what grows old, and keeps the CA; with --watch it goes on doing so.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { systemClock, Timer } from '../core/clock.ts';
import { readCertificate } from '../identity/certificate.ts';
import { type DevAuthority, loadAuthority, newAuthority } from '../identity/dev-authority.ts';
import { parseDuration } from '../model/duration.ts';
import { type CommandInput, type Run, UsageError } from './command.ts';
import { sign } from './paint.ts';

const LIFE_DEFAULT = '24h';
const TRUST_DOMAIN_DEFAULT = 'cluster.local';
const OUT_DEFAULT = 'certs';
const RENEW_SHARE = 1 / 3;
const NAME = /^(?:([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\/)?([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)$/;

interface Wanted {
  readonly name: string;
  readonly namespace: string;
  readonly folder: string;
}

interface Written {
  readonly service: string;
  readonly spiffeId: string;
  readonly folder: string;
  /** ISO 8601. */
  readonly notAfter: string;
  readonly isRenewed: boolean;
}

export const certsDev: Run = async (input) => {
  const { terminal, values } = input;
  const lifeMs = parseDuration(text(values.life) ?? LIFE_DEFAULT);
  if (lifeMs === null || lifeMs < 1_000) throw new UsageError('--life must be a duration of at least 1s, such as 24h');
  const out = resolve(terminal.cwd, text(values.out) ?? OUT_DEFAULT);
  const wanted = wantedOf(input, out);
  const authority = keptAuthority(out, text(values['trust-domain']) ?? TRUST_DOMAIN_DEFAULT);
  const written = wanted.map((one) => ensure(one, authority, lifeMs));
  report(input, written, out);
  if (values.watch === true) await renewForever(input, { wanted, authority, lifeMs, out });
  return 0;
};

function text(value: CommandInput['values'][string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function wantedOf({ positionals }: CommandInput, out: string): Wanted[] {
  if (positionals.length === 0) throw new UsageError('name the services: inmesh certs dev productpage reviews');
  return positionals.map((given) => {
    const [, namespace = 'default', name] = NAME.exec(given) ?? [];
    if (name === undefined) throw new UsageError(`${JSON.stringify(given)} is no name of a service; write reviews, or namespace/reviews`);
    return { name, namespace, folder: join(out, given) };
  });
}

/** Of an earlier run, or a new one. */
function keptAuthority(out: string, trustDomain: string): DevAuthority {
  const [cert, key] = [join(out, 'ca.crt'), join(out, 'ca.key')] as const;
  if (existsSync(cert) && existsSync(key)) {
    const kept = loadAuthority({ cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') });
    if (kept.trustDomain !== trustDomain) {
      throw new UsageError(
        `the CA in ${out} is of the trust domain ${kept.trustDomain}; give --trust-domain ${kept.trustDomain}, or another --out`,
      );
    }
    return kept;
  }
  const made = newAuthority({ trustDomain, nowMs: systemClock.wall() });
  mkdirSync(out, { recursive: true });
  writeWhole(cert, made.cert, 0o644);
  writeWhole(key, made.key, 0o600);
  return made;
}

function ensure({ name, namespace, folder }: Wanted, authority: DevAuthority, lifeMs: number): Written {
  const spiffeId = `spiffe://${authority.trustDomain}/ns/${namespace}/sa/${name}`;
  const keptUntilMs = stillGood(folder, authority, spiffeId);
  if (keptUntilMs > 0) return { service: name, spiffeId, folder, notAfter: new Date(keptUntilMs).toISOString(), isRenewed: false };
  const nowMs = systemClock.wall();
  const dns = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`, 'localhost'];
  const { chain, key } = authority.issue({ spiffeId, dns, ips: ['127.0.0.1', '::1'], nowMs, lifeMs });
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, 'ca.crt'), authority.root, 0o644);
  writeWhole(join(folder, 'tls.key'), key, 0o600);
  writeWhole(join(folder, 'tls.crt'), chain.join(''), 0o644);
  return {
    service: name,
    spiffeId,
    folder,
    notAfter: new Date(Math.floor((nowMs + lifeMs) / 1_000) * 1_000).toISOString(),
    isRenewed: true,
  };
}

/** Until when, ms since the epoch; 0: it is not there, of another CA, or near its end. */
function stillGood(folder: string, authority: DevAuthority, spiffeId: string): number {
  try {
    const { x509, uris, notBeforeMs, notAfterMs } = readCertificate(readFileSync(join(folder, 'tls.crt'), 'utf8'));
    const isOurs = uris[0] === spiffeId && x509.verify(readCertificate(authority.root).x509.publicKey);
    const leftMs = notAfterMs - systemClock.wall();
    return isOurs && existsSync(join(folder, 'tls.key')) && leftMs > (notAfterMs - notBeforeMs) * RENEW_SHARE ? notAfterMs : 0;
  } catch {
    return 0;
  }
}

/** Beside and renamed: whoever reads sees the old or the new. */
function writeWhole(path: string, content: string, mode: number): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content, { mode });
  renameSync(draft, path);
}

function report({ terminal, values }: CommandInput, written: readonly Written[], out: string): void {
  if (values.json === true) {
    terminal.out(`${JSON.stringify({ ca: join(out, 'ca.crt'), certificates: written })}\n`);
    return;
  }
  for (const { spiffeId, folder, notAfter, isRenewed } of written) {
    const where = relative(terminal.cwd, folder) || '.';
    terminal.out(`${sign('ok')} ${where}: ${spiffeId}, ${isRenewed ? 'issued' : 'kept'}, until ${notAfter}\n`);
  }
  const first = written[0]?.folder ?? out;
  terminal.out(
    `\nFor development only: the key of the CA lies in ${relative(terminal.cwd, join(out, 'ca.key'))}.\nidentity: { directory: ${relative(terminal.cwd, first)} }\n`,
  );
}

class Wait extends Timer {
  readonly #done: () => void;
  constructor(done: () => void) {
    super();
    this.#done = done;
  }
  override get holdsProcess(): boolean {
    return true;
  }
  fire(): void {
    this.#done();
  }
}

interface Renewal {
  readonly wanted: readonly Wanted[];
  readonly authority: DevAuthority;
  readonly lifeMs: number;
  readonly out: string;
}

/** Until the process is ended. */
async function renewForever(input: CommandInput, { wanted, authority, lifeMs, out }: Renewal): Promise<never> {
  for (;;) {
    await new Promise<void>((resolve) => {
      systemClock.arm(new Wait(resolve), systemClock.now() + Math.min(lifeMs * RENEW_SHARE, 60_000));
    });
    const renewed = wanted.map((one) => ensure(one, authority, lifeMs)).filter(({ isRenewed }) => isRenewed);
    if (renewed.length > 0) report(input, renewed, out);
  }
}
