// What routes do beside sending calls on is counted by service, route and action, and found in a collection.
import { describe, expect, it } from 'vitest';
import { Meter } from '../../src/telemetry/meter.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('actions of a route', () => {
  it('are one series each, made when they first happen', () => {
    const meter = new Meter({ clock: new VirtualClock() });
    const count = meter.actions('reviews', 'canary');
    const family = meter.families.get('inmesh.route.actions');
    expect(family?.size).toBe(0);
    count('hedge.sent');
    count('hedge.sent');
    count('hedge.won');
    expect(meter.counter('inmesh.route.actions', labels('hedge.sent')).value).toBe(2);
    expect(meter.counter('inmesh.route.actions', labels('hedge.won')).value).toBe(1);
    expect(family?.size).toBe(2);
  });

  it('are the same series for the same route, whoever counts', () => {
    const meter = new Meter({ clock: new VirtualClock() });
    meter.actions('reviews', 'canary')('cache.hit');
    meter.actions('reviews', 'canary')('cache.hit');
    expect(meter.counter('inmesh.route.actions', labels('cache.hit')).value).toBe(2);
  });
});

function labels(action: string): Record<string, string> {
  return { 'inmesh.service': 'reviews', 'inmesh.route': 'canary', 'inmesh.action': action };
}
