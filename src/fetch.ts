// `inmesh/fetch`: a mesh for runtimes where undici cannot run, such as Cloudflare's workerd. Everything but the transport is as
// ever; each attempt is one call of the runtime's own fetch.
import { alarmClock } from './core/clock.ts';
import type { MeshOptions } from './mesh/mesh-options.ts';
import { fetchTransport, type SendFetch } from './transport/fetch-transport.ts';

export interface OverFetchOptions {
  /** What sends an attempt to its endpoint, such as the `fetch` of a service binding. @default the global fetch */
  readonly fetch?: SendFetch;
}

const globalFetch: SendFetch = (url, init) => fetch(url, init);

/**
 * `createMesh({ config, ...overFetch() })`. Endpoints are addresses or names that the runtime's fetch can reach. Not to be had this
 * way: certificates of ours, HTTP/2 by choice, gRPC, upgrades, active health checks, limits of connections.
 */
export function overFetch(options: OverFetchOptions = {}): Required<Pick<MeshOptions, 'transport' | 'clock'>> {
  return { transport: fetchTransport({ clock: alarmClock, send: options.fetch ?? globalFetch }), clock: alarmClock };
}
