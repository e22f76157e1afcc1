// An identity that a function fetches: Vault, a cloud's private CA, step-ca, an HSM. Asked again in time before it expires; when
// the answer fails to come, again and again, while the last good one is used.
import { type Clock, type Random, runAt, type Timer } from '../core/clock.ts';
import { HeldIdentity, type HeldIdentityDeps } from './held-identity.ts';
import type { Identity, IdentitySource } from './identity-source.ts';

/** PEM. */
export interface FetchedIdentity {
  /** Leaf first, then the intermediates. */
  readonly cert: string;
  readonly key: string;
  /** Roots of the leaf's trust domain, or of several by name. */
  readonly ca: string | Readonly<Record<string, string>>;
  readonly crl?: string;
}

export interface CallbackOptions {
  /** Asks again after this time, ms. @default two thirds of the life of the certificate */
  readonly refreshMs?: number | undefined;
}

const RENEW_SHARE = 2 / 3;
const RENEW_JITTER = 0.1;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** A life that is all but over is no reason to ask in a loop. */
const REFRESH_MS_MIN = 1_000;

export function callbackSource(
  fetchIdentity: () => FetchedIdentity | Promise<FetchedIdentity>,
  deps: HeldIdentityDeps & CallbackOptions,
): IdentitySource {
  const { clock, random } = deps;
  const held = new HeldIdentity(deps);
  let timer: Timer | null = null;
  let failures = 0;

  function again(afterMs: number): void {
    timer = runAt(clock, clock.now() + afterMs, ask);
  }

  function ask(): void {
    timer = null;
    // A function that throws is one whose promise rejects.
    new Promise<FetchedIdentity>((resolve) => {
      resolve(fetchIdentity());
    }).then(took, failed);
  }

  function took({ cert, key, ca, crl }: FetchedIdentity): void {
    if (held.isClosed) return;
    const roots = typeof ca === 'string' ? { roots: ca } : { bundles: new Map(Object.entries(ca).map(([domain, pem]) => [domain, [pem]])) };
    if (!held.offer({ chain: cert, key, ...roots, crls: crl })) {
      again(retryMs(failures++, random));
      return;
    }
    failures = 0;
    again(deps.refreshMs ?? renewMs(held.newest as Pick<Identity, 'notBeforeMs' | 'notAfterMs'>, clock, random));
  }

  function failed(error: unknown): void {
    if (held.isClosed) return;
    held.fail(new Error(`no identity could be fetched: ${error instanceof Error ? error.message : String(error)}`, { cause: error }));
    again(retryMs(failures++, random));
  }

  held.onClose = () => {
    if (timer !== null) clock.disarm(timer);
  };
  ask();
  return held;
}

/** When to ask for the next one: after two thirds of its life, a little sooner or later than others do. */
export function renewMs({ notBeforeMs, notAfterMs }: Pick<Identity, 'notBeforeMs' | 'notAfterMs'>, clock: Clock, random: Random): number {
  const lifeMs = notAfterMs - notBeforeMs;
  const dueMs = notBeforeMs + lifeMs * (RENEW_SHARE + (random() - 0.5) * RENEW_JITTER);
  return Math.max(REFRESH_MS_MIN, dueMs - clock.wall());
}

/** Doubled with each failure, half of it by chance. */
export function retryMs(failures: number, random: Random): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 10)) * (0.5 + random() / 2);
}
