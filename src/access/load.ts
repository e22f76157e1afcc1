// Everything that decides whether calls may come in, made of a configuration: what is not asked for is not loaded. Prepares all that
// may fail before anything is changed, so that a reload with a fault leaves the old one in force.
import type { Clock } from '../core/clock.ts';
import type { ExtensionProvider } from '../model/extension-provider.ts';
import type { InboundConfig } from '../model/inbound.ts';
import { compileAccess, type AccessOptions } from './access.ts';
import { AccessCheck, type AccessFunction, type Authorizer } from './check.ts';
import { linkerdRates } from './linkerd-rates.ts';
import { policiesFor, type Workload } from './policy-scope.ts';

export interface AccessLoadDeps extends AccessOptions {
  readonly clock: Clock;
  /** Policies of yours. @default none */
  readonly functions?: readonly AccessFunction[];
}

export interface LoadedAccess {
  /** null: nobody asks for anything, so no layer is needed. */
  readonly check: AccessCheck | null;
  /** Lets go of the connections to authorizers. */
  close(): void;
}

/** Rejects, with what to do, when a package is missing or a key set cannot be read. */
export async function loadAccess(config: InboundConfig, self: Workload, deps: AccessLoadDeps): Promise<LoadedAccess> {
  const { policies = [], extensionProviders = [] } = config;
  const { clock, functions = [], ...options } = deps;
  const access = compileAccess(policies, self, options);
  const own = policiesFor(policies, self);
  const tokens = own.some(({ kind }) => kind === 'request-authentication')
    ? await (await import('./jwt.ts')).loadTokenCheck(policies, self, { clock })
    : null;
  const asked = new Set(own.map((policy) => policy.kind === 'authorization' && policy.provider));
  const wanted = extensionProviders.filter(({ name }) => asked.has(name));
  const authorizers = new Map<string, Authorizer & { close(): void }>();
  for (const provider of wanted) authorizers.set(provider.name, await loadAuthorizer(provider, clock));
  const check = new AccessCheck({ access, tokens, authorizers, functions, rates: linkerdRates(own, clock) });
  return {
    check: check.isOpen ? null : check,
    close: () => {
      for (const authorizer of authorizers.values()) authorizer.close();
    },
  };
}

async function loadAuthorizer(provider: ExtensionProvider, clock: Clock): Promise<Authorizer & { close(): void }> {
  if (provider.kind === 'grpc') return (await import('./grpc-ext-authz.ts')).loadGrpcAuthorizer(provider, clock);
  return (await import('./ext-authz-http.ts')).httpAuthorizer(provider, clock);
}
