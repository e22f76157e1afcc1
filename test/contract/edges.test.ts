// One contract for all edges: the same configuration, the same outcome, whether a call comes by fetch, by undici or as a gRPC
// call of any kind. Every fourth scenario; edges.long.test.ts plays them all.
import { describe, expect, it } from 'vitest';
import { playAll } from './edge-play.ts';
import { SCENARIOS } from './edge-scenarios.ts';

describe('every edge', () => {
  it('is asked enough', () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  });

  const chosen = SCENARIOS.filter((_scenario, index) => index % 4 === 2);
  it.each(chosen.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => playAll(scenario));
});
