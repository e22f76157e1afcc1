// Endpoints that stand in the config itself. They change when the config is reloaded, which makes a new source.
import type { EndpointConfig } from '../model/destination.ts';
import type { EndpointSource } from './endpoint-source.ts';

export function staticSource(endpoints: readonly EndpointConfig[]): EndpointSource {
  return {
    start: (update) => update(endpoints),
    refresh: () => {},
    close: () => {},
  };
}
