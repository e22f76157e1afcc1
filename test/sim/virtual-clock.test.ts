import { describe, expect, it } from 'vitest';
import { runAt, Timer } from '../../src/core/clock.ts';
import { ProcessClock } from '../../src/sim/process-clock.ts';
import { VirtualClock } from '../../src/sim/virtual-clock.ts';
import { seededRandom } from '../../src/testing.ts';

class Named extends Timer {
  readonly #fired: () => void;
  constructor(fired: () => void) {
    super();
    this.#fired = fired;
  }
  fire(): void {
    this.#fired();
  }
}

describe('VirtualClock', () => {
  it('fires in order of due time, then of arming, and at its time', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    for (const [name, due] of [
      ['c', 30],
      ['a', 10],
      ['b', 10],
      ['d', 40],
    ] as const) {
      runAt(clock, due, () => log.push(`${name}@${clock.now()}`));
    }
    await clock.advance(30);
    expect(log).toEqual(['a@10', 'b@10', 'c@30']);
    expect([clock.now(), clock.armed, clock.nextDueMs]).toEqual([30, 1, 40]);
  });

  it('fires what is overdue at once, and never goes back', async () => {
    const clock = new VirtualClock(100);
    const at: number[] = [];
    runAt(clock, 50, () => at.push(clock.now()));
    await clock.advance(0);
    expect(at).toEqual([100]);
  });

  it('keeps the heap right under any mix of arming, arming again and disarming', async () => {
    const random = seededRandom(3);
    const clock = new VirtualClock(0);
    const due = new Map<Timer, number>();
    const fired: number[] = [];
    const timers = Array.from({ length: 200 }, () => {
      const timer: Timer = new Named(() => {
        expect(clock.now()).toBe(due.get(timer));
        due.delete(timer);
        fired.push(clock.now());
      });
      return timer;
    });
    for (let i = 0; i < 5_000; i++) {
      const timer = timers[Math.floor(random() * timers.length)] as Timer;
      if (random() < 0.3) {
        clock.disarm(timer);
        due.delete(timer);
      } else {
        const at = Math.floor(random() * 500);
        clock.arm(timer, at);
        due.set(timer, at);
      }
      expect(clock.armed).toBe(due.size);
    }
    const left = due.size;
    expect(left).toBeGreaterThan(50);
    await clock.advance(500);
    expect(fired).toEqual(fired.toSorted((a, b) => a - b));
    expect([fired.length, clock.armed]).toEqual([left, 0]);
  });

  it('lets every promise settle before the next timer, however long the chain', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    runAt(clock, 1, () => {
      void (async () => {
        for (let i = 0; i < 1_000; i++) await Promise.resolve();
        log.push(`chain@${clock.now()}`);
        runAt(clock, 1, () => log.push(`armed by the chain@${clock.now()}`));
      })();
    });
    runAt(clock, 2, () => log.push(`next@${clock.now()}`));
    await clock.advance(2);
    expect(log).toEqual(['chain@1', 'armed by the chain@1', 'next@2']);
  });

  it('settles promises before the first timer and after the last', async () => {
    const clock = new VirtualClock(0);
    const log: string[] = [];
    const begun = Promise.resolve().then(() => runAt(clock, 5, () => void Promise.resolve().then(() => log.push('after'))));
    await clock.advance(5);
    await begun;
    expect(log).toEqual(['after']);
  });

  it('hands on what a timer throws', async () => {
    const clock = new VirtualClock(0);
    runAt(clock, 1, () => {
      throw new Error('broken');
    });
    await expect(clock.advance(2)).rejects.toThrow('broken');
  });
});

describe('ProcessClock', () => {
  it('fires on ticks of 10 ms of its phase: late, never early', async () => {
    const world = new VirtualClock(0);
    const clock = new ProcessClock(world, 0.3);
    const fired: [number, number][] = [];
    for (const due of [0, 3, 4, 13, 20]) {
      const timer = runAt(clock, due, () => fired.push([timer.timerDueMs, clock.now()]));
    }
    await world.advance(100);
    expect(fired).toEqual([
      [0, 3],
      [3, 3],
      [4, 13],
      [13, 13],
      [20, 23],
    ]);
  });
});
