// One round of questions: from a name to endpoints and the time they hold. Remembers each family of each name, so that a
// name server that fails for one of them takes nothing away. Must not know when, or how often, it is asked.
import { isIP } from 'node:net';
import type { EndpointConfig } from '../model/destination.ts';
import type { DnsResolver, SrvRecord } from './dns-resolver.ts';

export interface DnsLookupConfig {
  readonly host: string;
  /** Ignored for SRV, whose records carry the port. */
  readonly port: number;
  readonly record: 'A' | 'AAAA' | 'SRV' | 'any';
}

export interface DnsAnswer {
  /** At least one; sorted by address, since name servers rotate. */
  readonly endpoints: readonly EndpointConfig[];
  /** Smallest TTL of all records used, ms. */
  readonly ttlMs: number;
}

/** TTL of answers that carry none, s: those of the operating system, and SRV records of node:dns. */
const UNKNOWN_TTL_S = 30;
/** When a part of the answer is remembered rather than fresh, s. */
const STALE_TTL_S = 5;

type Family = 4 | 6;

/** `4 name` or `6 name` → the last addresses. */
type Known = ReadonlyMap<string, readonly string[]>;

/** What is known of one name. `error` is '' when the answer is fresh. */
interface Host {
  readonly addresses: readonly string[];
  readonly ttlS: number;
  readonly error: string;
}

interface FamilyAnswer {
  readonly addresses: readonly string[];
  readonly ttlS: number;
  /** '' or the code of the error. */
  readonly code: string;
}

/** Asks once. Rejects with an Error for people when nothing fresh was learned. */
export type DnsLookup = () => Promise<DnsAnswer>;

export function dnsLookup(config: DnsLookupConfig, resolver: DnsResolver): DnsLookup {
  const families: readonly Family[] = config.record === 'A' ? [4] : config.record === 'AAAA' ? [6] : [4, 6];
  let known: Known = new Map();
  return async () => {
    const round = new Round(resolver, known);
    const answer = isSrv(config) ? await round.srv(config.host) : await round.host(config.host, config.port, families);
    known = round.seen;
    return answer;
  };
}

function isSrv(config: DnsLookupConfig): boolean {
  return config.record === 'SRV' || (config.record === 'any' && config.host.startsWith('_'));
}

class Round {
  readonly seen: Map<string, readonly string[]> = new Map();
  readonly #resolver: DnsResolver;
  readonly #known: Known;

  constructor(resolver: DnsResolver, known: Known) {
    this.#resolver = resolver;
    this.#known = known;
  }

  async host(name: string, port: number, families: readonly Family[]): Promise<DnsAnswer> {
    const host = await this.#resolve(name, families);
    if (host.error !== '') throw new Error(host.error);
    const endpoints = host.addresses.map((address) => endpoint(address, port, 1));
    return { endpoints: endpoints.sort(byAddress), ttlMs: host.ttlS * 1_000 };
  }

  async srv(name: string): Promise<DnsAnswer> {
    let records: readonly SrvRecord[];
    try {
      records = await this.#resolver.resolveSrv(name);
    } catch (error) {
      throw new Error(`${name} (SRV): ${codeOf(error)}`);
    }
    // A target of '.' says that the service is decidedly not there. Source: RFC 2782.
    records = records.filter((record) => record.name !== '' && record.name !== '.');
    const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b);
    let firstError = `${name} (SRV): ENODATA`;
    for (const priority of priorities) {
      const group = records.filter((record) => record.priority === priority);
      const hosts = await this.#targets(group);
      const error = hosts.find((host) => host.error !== '')?.error;
      if (error !== undefined && priority === priorities[0]) firstError = error;
      const isFresh = hosts.some((host) => host.error === '');
      if (!isFresh && hosts.some((host) => host.addresses.length > 0)) break;
      const endpoints = srvEndpoints(group, hosts);
      if (endpoints.length === 0) continue;
      const ttlS = Math.min(...group.map((record) => record.ttl ?? UNKNOWN_TTL_S), ...hosts.map((host) => host.ttlS));
      return { endpoints, ttlMs: ttlS * 1_000 };
    }
    throw new Error(firstError);
  }

  /** The host of each record; a name that several records share is asked once. */
  #targets(records: readonly SrvRecord[]): Promise<Host[]> {
    const asked = new Map<string, Promise<Host>>();
    for (const { name } of records) if (!asked.has(name)) asked.set(name, this.#resolve(name, [4, 6]));
    return Promise.all(records.map(({ name }) => asked.get(name) as Promise<Host>));
  }

  async #resolve(name: string, families: readonly Family[]): Promise<Host> {
    if (isIP(name) !== 0) return { addresses: [name], ttlS: Number.POSITIVE_INFINITY, error: '' };
    const answers = await Promise.all(families.map((family) => this.#family(name, family)));
    const addresses = answers.flatMap((answer) => answer.addresses);
    const fresh = answers.filter((answer) => answer.code === '');
    if (fresh.length > 0) return { addresses, ttlS: Math.min(...answers.map((answer) => answer.ttlS)), error: '' };
    const codes = answers.map((answer, index) => `${families[index] === 4 ? 'A' : 'AAAA'}: ${answer.code}`).join(', ');
    const error = `${name} (${codes})`;
    if (!answers.every((answer) => isForSystem(answer.code))) return { addresses, ttlS: STALE_TTL_S, error };
    return this.#lookup(name, families, error);
  }

  async #family(name: string, family: Family): Promise<FamilyAnswer> {
    const key = `${family} ${name}`;
    try {
      const records = family === 4 ? await this.#resolver.resolve4(name) : await this.#resolver.resolve6(name);
      if (records.length === 0) return { addresses: [], ttlS: UNKNOWN_TTL_S, code: 'ENODATA' };
      const addresses = records.map((record) => record.address);
      this.seen.set(key, addresses);
      return { addresses, ttlS: Math.min(...records.map((record) => record.ttl)), code: '' };
    } catch (error) {
      const code = codeOf(error);
      if (isAbsent(code)) return { addresses: [], ttlS: Number.POSITIVE_INFINITY, code };
      const addresses = this.#known.get(key);
      // A family that never answered does not make the other one be asked more often.
      if (addresses === undefined) return { addresses: [], ttlS: Number.POSITIVE_INFINITY, code };
      this.seen.set(key, addresses);
      return { addresses, ttlS: STALE_TTL_S, code };
    }
  }

  async #lookup(name: string, families: readonly Family[], error: string): Promise<Host> {
    try {
      const found = await this.#resolver.lookup(name);
      const addresses = found.filter(({ family }) => families.includes(family as Family)).map(({ address }) => address);
      if (addresses.length > 0) return { addresses, ttlS: UNKNOWN_TTL_S, error: '' };
    } catch {
      // The answers of the name service say more than that of the system, which has only one word for all.
    }
    return { addresses: [], ttlS: STALE_TTL_S, error };
  }
}

/** Codes that say: there is no such record. */
function isAbsent(code: string): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

/** Codes after which the operating system may know more than the name service. */
function isForSystem(code: string): boolean {
  return isAbsent(code) || code === 'ECONNREFUSED';
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof code === 'string' ? code : String(message ?? error);
}

/** Shares a record's weight among the addresses of its target; records for the same address add up. */
function srvEndpoints(records: readonly SrvRecord[], hosts: readonly Host[]): EndpointConfig[] {
  // All zero means: no preference. Beside others zero means: hardly ever. Source: RFC 2782.
  const zero = records.every((record) => record.weight === 0) ? 1 : 0.01;
  const weights = new Map<string, number>();
  records.forEach((record, index) => {
    const addresses = hosts[index]?.addresses ?? [];
    for (const address of addresses) {
      const key = hostAndPort(address, record.port);
      weights.set(key, (weights.get(key) ?? 0) + (record.weight === 0 ? zero : record.weight) / addresses.length);
    }
  });
  return [...weights].map(([address, weight]) => ({ address, labels: {}, locality: '', weight })).sort(byAddress);
}

function endpoint(address: string, port: number, weight: number): EndpointConfig {
  return { address: hostAndPort(address, port), labels: {}, locality: '', weight };
}

export function hostAndPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function byAddress(a: EndpointConfig, b: EndpointConfig): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
