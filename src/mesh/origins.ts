// From an origin, as a caller writes it, to the stack of the service that names its host. Hits are remembered for the
// life of a config; misses are not, so strangers cost no memory.
import { LRUCache } from 'lru-cache';
import type { Origin } from '../transport/outbound.ts';
import type { CompiledMesh, CompiledService } from './compile.ts';
import { HostTable } from './host-table.ts';

/** One host may be written with many ports. */
const REMEMBERED_MAX = 1_024;

interface Parts {
  readonly scheme: string;
  readonly authority: string;
  readonly host: string;
  readonly port: string;
}

const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** `scheme://host[:port]`, by hand: `new URL` costs ten times as much. null when it is none. */
function split(origin: string): Parts | null {
  const end = origin.indexOf('://');
  if (end <= 0) return null;
  const authority = origin.slice(end + 3);
  const colon = authority.lastIndexOf(':');
  const isPort = colon > authority.lastIndexOf(']');
  const host = (isPort ? authority.slice(0, colon) : authority).toLowerCase();
  const scheme = origin.slice(0, end);
  const port = isPort ? authority.slice(colon + 1) : (PORTS[scheme] ?? '');
  return { scheme, authority, host: host.endsWith('.') ? host.slice(0, -1) : host, port };
}

export function findService(mesh: CompiledMesh, origin: string): CompiledService | null {
  const parts = split(origin);
  return parts === null ? null : mesh.hosts.find(parts.host, parts.port);
}

/** The lookup of one config. */
export function originLookup(mesh: CompiledMesh): (origin: string) => Origin | null {
  const known: LRUCache<string, Origin> = new LRUCache({ max: REMEMBERED_MAX });
  // Most callers call one origin many times in a row, and write it with the same string.
  let last = '';
  let lastOrigin: Origin | null = null;
  return (text) => {
    if (text === last) return lastOrigin;
    const hit = known.get(text);
    if (hit !== undefined) {
      last = text;
      lastOrigin = hit;
      return hit;
    }
    const parts = split(text);
    if (parts === null) return null;
    const found = mesh.hosts.find(parts.host, parts.port);
    if (found === null) return null;
    const origin: Origin = { scheme: parts.scheme, authority: parts.authority, service: found.service, bodyBytesMax: found.bodyBytesMax };
    known.set(text, origin);
    return origin;
  };
}

/** Which origins pass although unknown hosts are refused: names, `*.suffix`, with or without a port. */
export function passLookup(hosts: readonly string[]): (origin: string) => boolean {
  const table = new HostTable<true>();
  for (const host of hosts) table.add(host, true);
  return (origin) => {
    const parts = split(origin);
    return parts !== null && table.find(parts.host, parts.port) === true;
  };
}
