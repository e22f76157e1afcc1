// What a process counts, told to the parent four times a second: its gRPC calls by lane, and who called it, by certificate.
import { type CallerCount, type Lane, type RpcCounts, tell } from './messages.ts';

const TELL_MS = 250;

/** As much of a certificate as the table shows. */
interface Caller {
  readonly spiffeId: string;
  readonly fingerprint: string;
}

const noRpcs = (): RpcCounts => ({ calls: 0, messages: 0, failed: 0 });

/** Added to by whoever calls. */
export const rpcs: Record<Lane, RpcCounts> = { plain: noRpcs(), inmesh: noRpcs() };
const callers: Map<string, CallerCount> = new Map();

const NOBODY: Caller = { spiffeId: '', fingerprint: '' };

/** A call came in. null: without a certificate. */
export function countCaller(caller: Caller | null): void {
  const { spiffeId, fingerprint } = caller ?? NOBODY;
  const known = callers.get(fingerprint);
  if (known === undefined) callers.set(fingerprint, { spiffeId, fingerprint, calls: 1 });
  else known.calls++;
}

export function tellCounts(): void {
  setInterval(() => {
    if (callers.size === 0 && rpcs.plain.calls + rpcs.inmesh.calls === 0) return;
    // Sent as it is now: messages to the parent are copies.
    tell({ type: 'counts', counts: { rpcs, callers: [...callers.values()] } });
    callers.clear();
    Object.assign(rpcs.plain, noRpcs());
    Object.assign(rpcs.inmesh, noRpcs());
  }, TELL_MS).unref();
}
