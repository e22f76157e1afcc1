// The clock of runtimes where timers belong to a request, on timers that the test moves.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { alarmClock, runAt, Timer } from '../../src/core/clock.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;

describe('the alarm clock', () => {
  it('fires when it is time, in order, and never what was disarmed', () => {
    const startMs = alarmClock.now();
    const fired: number[] = [];
    for (const delayMs of [50, 0, 20]) runAt(alarmClock, startMs + delayMs, () => fired.push(delayMs));
    const stopped = runAt(alarmClock, startMs + 10, () => fired.push(-1));
    alarmClock.disarm(stopped);
    alarmClock.disarm(stopped);
    const moved = runAt(alarmClock, startMs + 10, () => fired.push(80));
    alarmClock.arm(moved, startMs + 80);
    expect(moved.timerDueMs).toBe(startMs + 80);
    vi.advanceTimersByTime(79);
    expect(fired).toEqual([0, 20, 50]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([0, 20, 50, 80]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('can be armed again by what fires', () => {
    const fired: number[] = [];
    const startMs = alarmClock.now();
    class Twice extends Timer {
      fire(): void {
        fired.push(alarmClock.now() - startMs);
        if (fired.length === 1) alarmClock.arm(this, alarmClock.now() + 5);
      }
    }
    alarmClock.arm(new Twice(), startMs + 10);
    vi.advanceTimersByTime(100);
    expect(fired).toEqual([10, 15]);
  });

  it('waits longer than setTimeout can', () => {
    let fired = 0;
    runAt(alarmClock, alarmClock.now() + 60 * DAY_MS, () => fired++);
    vi.advanceTimersByTime(59 * DAY_MS);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(DAY_MS);
    expect(fired).toBe(1);
  });

  it('is not taken in by a timeout that comes early', () => {
    let fired = 0;
    const startMs = alarmClock.now();
    const now = vi.spyOn(performance, 'now').mockReturnValue(startMs);
    runAt(alarmClock, startMs + 10, () => fired++);
    now.mockReturnValue(startMs + 9.5);
    vi.advanceTimersByTime(10);
    expect(fired).toBe(0);
    now.mockReturnValue(startMs + 10.5);
    vi.advanceTimersByTime(1);
    expect(fired).toBe(1);
  });

  it('stops what another request has armed, where its timeout may not be touched', () => {
    let fired = 0;
    const timer = runAt(alarmClock, alarmClock.now() + 10, () => fired++);
    vi.spyOn(globalThis, 'clearTimeout').mockImplementation(() => {
      throw new Error('Cannot clear a timeout created in a different request context');
    });
    alarmClock.disarm(timer);
    vi.advanceTimersByTime(20);
    expect(fired).toBe(0);
  });

  it('holds the process only for a call that waits for nothing else', () => {
    const handles: NodeJS.Timeout[] = [];
    const set = globalThis.setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
      handles.push(set(run, ms));
      return handles.at(-1);
    }) as never);
    class Holding extends Timer {
      override get holdsProcess(): boolean {
        return true;
      }
      fire(): void {}
    }
    runAt(alarmClock, alarmClock.now() + 10, () => {});
    alarmClock.arm(new Holding(), alarmClock.now() + 10);
    expect(handles.map((handle) => handle.hasRef())).toEqual([false, true]);
  });

  it('knows the hour', () => {
    expect(alarmClock.wall()).toBe(Date.now());
  });
});
