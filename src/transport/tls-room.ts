// What TLS is made of: loaded with the first service that speaks it, or the first call by https to one that does not. Plain HTTP
// alone spares a process half a megabyte, most of it the root certificates of Node.
import type { RotatingTls, RotatingTlsDeps } from '../identity/rotating-tls.ts';
import type { TlsPolicy } from '../model/destination.ts';

let room: typeof import('../identity/rotating-tls.ts') | null = null;

export function isTlsLoaded(): boolean {
  return room !== null;
}

export async function loadTls(): Promise<void> {
  room ??= await import('../identity/rotating-tls.ts');
}

/** Throws an Error with a plain sentence, but for an identity that may still come. */
export function rotatingTls(policy: TlsPolicy, deps: RotatingTlsDeps): RotatingTls {
  if (room === null) throw new Error('TLS is not loaded: loadTls comes first');
  return new room.RotatingTls(policy, deps);
}
