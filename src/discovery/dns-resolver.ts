// The port to the name service, and its default on node:dns, loaded when first used. Must not know what becomes of the
// answers. Errors carry a `code` as node:dns gives it (ENOTFOUND, ENODATA, ETIMEOUT, …).
import type { Resolver } from 'node:dns/promises';

export interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  /** Lower comes first. */
  readonly priority: number;
  readonly weight: number;
  /** Seconds; absent when the resolver does not tell (node:dns does not). */
  readonly ttl?: number;
}

export interface DnsResolver {
  resolve4(name: string): Promise<readonly AddressRecord[]>;
  resolve6(name: string): Promise<readonly AddressRecord[]>;
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  /** Asks the operating system, which also knows /etc/hosts, search domains and mDNS. */
  lookup(name: string): Promise<readonly { readonly address: string; readonly family: number }[]>;
}

/** A dead name server costs up to `tries` × this; the next look comes after 5 s anyway. */
const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;

/** `servers` (`ip` or `ip:port`): ask these instead of those of the system. */
export function systemResolver(servers: readonly string[] = []): DnsResolver {
  let loading: Promise<Resolver> | null = null;
  const resolver = (): Promise<Resolver> => {
    loading ??= import('node:dns/promises').then((dns) => {
      const made = new dns.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
      if (servers.length > 0) made.setServers(servers);
      return made;
    });
    return loading;
  };
  return {
    resolve4: async (name) => (await resolver()).resolve4(name, { ttl: true }),
    resolve6: async (name) => (await resolver()).resolve6(name, { ttl: true }),
    resolveSrv: async (name) => (await resolver()).resolveSrv(name),
    lookup: async (name) => (await import('node:dns/promises')).lookup(name, { all: true }),
  };
}
