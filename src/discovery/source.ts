// The one place that knows which source serves which config. A source keeps no process alive by its timers and watches;
// a DNS query under way does, for its own time limit.
import type { Clock, Random } from '../core/clock.ts';
import type { EndpointSourceConfig } from '../model/destination.ts';
import { type DnsResolver, systemResolver } from './dns-resolver.ts';
import { dnsSource } from './dns-source.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { fileSource, type ParseEndpoints } from './file-source.ts';
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

export function endpointSource(config: EndpointSourceConfig, deps: EndpointSourceDeps): EndpointSource {
  switch (config.kind) {
    case 'static':
      return staticSource(config.endpoints);
    case 'file':
      return fileSource(config.path, deps);
    case 'dns':
      return dnsSource(config, { clock: deps.clock, random: deps.random, resolver: deps.resolver ?? systemResolver() });
  }
}
