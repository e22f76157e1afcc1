// An identity that this process issues itself, from a development CA that others share; renewed before it expires.
import { callbackSource } from './callback-source.ts';
import type { DevAuthority, LeafRequest } from './dev-authority.ts';
import type { HeldIdentityDeps } from './held-identity.ts';
import type { IdentitySource } from './identity-source.ts';

export function devSource(
  authority: DevAuthority,
  request: Omit<LeafRequest, 'nowMs'>,
  deps: HeldIdentityDeps & { /** Roots besides its own, PEM. */ readonly otherRoots?: readonly string[] },
): IdentitySource {
  const roots = [authority.root, ...(deps.otherRoots ?? [])].join('');
  return callbackSource(() => {
    const { chain, key } = authority.issue({ ...request, nowMs: deps.clock.wall() });
    return { cert: chain.join(''), key, ca: roots };
  }, deps);
}
