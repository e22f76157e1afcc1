// One contract for all edges, every scenario of it.
import { describe, it } from 'vitest';
import { playAll } from './edge-play.ts';
import { SCENARIOS } from './edge-scenarios.ts';

describe('every edge', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('%s', (_name, scenario) => playAll(scenario));
});
