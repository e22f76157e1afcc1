// The one place that knows which source serves which config. A source keeps no process alive by its timers and watches;
// a DNS query under way does, for its own time limit.
import type { Clock, Random } from '../core/clock.ts';
import type { EndpointSourceConfig } from '../model/destination.ts';
import type { DnsResolver } from './dns-resolver.ts';
import type { EndpointSource } from './endpoint-source.ts';
import type { ParseEndpoints } from './file-source.ts';
import { staticSource } from './static-source.ts';

export type { DnsResolver } from './dns-resolver.ts';
export type { EndpointSource } from './endpoint-source.ts';
export type { ParseEndpoints } from './file-source.ts';

export interface EndpointSourceDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Reads an endpoint file; throws or rejects with an Error whose message says what is wrong and where. */
  readonly parseEndpoints: ParseEndpoints;
  /** @default the system's resolver */
  readonly resolver?: DnsResolver;
}

export type MakeSource = (deps: EndpointSourceDeps) => EndpointSource;

/** Names and files are read by what is loaded for them. */
export async function loadSource(config: EndpointSourceConfig): Promise<MakeSource> {
  switch (config.kind) {
    case 'static':
      return () => staticSource(config.endpoints);
    case 'file': {
      const { fileSource } = await import('./file-source.ts');
      return (deps) => fileSource(config.path, deps);
    }
    case 'dns': {
      const [{ dnsSource }, { systemResolver }] = await Promise.all([import('./dns-source.ts'), import('./dns-resolver.ts')]);
      return ({ clock, random, resolver }) => dnsSource(config, { clock, random, resolver: resolver ?? systemResolver() });
    }
  }
}
