// Time and chance, the only place that knows the real ones. Everything else is handed a Clock and a Random, so that a
// test or the simulator can hand in its own. Deadlines, per-try timers and waits all live on one timer wheel.

/** A number in [0, 1). */
export type Random = () => number;

/** A node of the wheel. Subclasses say in `fire` what happens; arming and stopping allocate nothing. */
export abstract class Timer {
  /** @internal */ timerPrev: Timer | null = null;
  /** @internal */ timerNext: Timer | null = null;
  /** Due time on the monotonic clock, ms. */
  timerDueMs = 0;

  /**
   * Whether the process must not end while this timer is armed: true where a call waits for nothing else. A call that
   * waits for a socket is held by the socket.
   */
  get holdsProcess(): boolean {
    return false;
  }

  abstract fire(): void;
}

export interface Clock {
  /** Monotonic, ms. */
  now(): number;
  /** Unix time, ms. For certificates, Retry-After dates and what people read; never for windows or deadlines. */
  wall(): number;
  /** Arms the timer for an absolute monotonic time, again if it was armed. Never fires early by more than nothing, late by up to 10 ms. */
  arm(timer: Timer, dueMs: number): void;
  /** Stops the timer; nothing happens if it was not armed. */
  disarm(timer: Timer): void;
  /** Tells of pauses of the event loop, seen while anything is armed, until the function returned is called. Absent on clocks that cannot stall. */
  onStall?(listener: (forMs: number) => void): () => void;
}

const TICK_MS = 10;
const SLOTS = 1_024;
const IDLE_TICKS_MAX = 100;
/** A tick that is this late says that the event loop stood still. */
const STALL_MS_MIN = 100;

class Head extends Timer {
  fire(): void {}
}

function emptyList(): Timer {
  const head = new Head();
  head.timerPrev = head;
  head.timerNext = head;
  return head;
}

function unlink(timer: Timer): void {
  const { timerPrev: prev, timerNext: next } = timer;
  if (prev === null || next === null) return;
  prev.timerNext = next;
  next.timerPrev = prev;
  timer.timerPrev = null;
  timer.timerNext = null;
}

function append(head: Timer, timer: Timer): void {
  const last = head.timerPrev as Timer;
  last.timerNext = timer;
  timer.timerPrev = last;
  timer.timerNext = head;
  head.timerPrev = timer;
}

/** Hashed timer wheel: 10 ms ticks, one interval while anything is armed. It holds the process only for a call that waits. */
class WheelClock implements Clock {
  readonly #slots: Timer[] = Array.from({ length: SLOTS }, emptyList);
  readonly #due: Timer = emptyList();
  #tick = 0;
  #armed = 0;
  #holding = 0;
  #idleTicks = 0;
  #interval: NodeJS.Timeout | null = null;
  #flushPending = false;
  readonly #stallListeners: Set<(forMs: number) => void> = new Set();

  onStall(listener: (forMs: number) => void): () => void {
    this.#stallListeners.add(listener);
    return () => {
      this.#stallListeners.delete(listener);
    };
  }

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  arm(timer: Timer, dueMs: number): void {
    if (this.#interval === null) this.#start();
    if (timer.timerNext === null) this.#count(timer, 1);
    else unlink(timer);
    timer.timerDueMs = dueMs;
    const tick = Math.max(Math.ceil(dueMs / TICK_MS), this.#tick + 1);
    append(this.#slots[tick % SLOTS] as Timer, timer);
  }

  disarm(timer: Timer): void {
    if (timer.timerNext === null) return;
    unlink(timer);
    this.#count(timer, -1);
  }

  #count(timer: Timer, change: 1 | -1): void {
    this.#armed += change;
    if (!timer.holdsProcess) return;
    this.#holding += change;
    if (this.#holding === 0) this.#interval?.unref();
    else this.#interval?.ref();
  }

  #start(): void {
    this.#tick = Math.floor(performance.now() / TICK_MS);
    this.#idleTicks = 0;
    this.#interval = setInterval(this.#advance, TICK_MS);
    this.#interval.unref();
  }

  readonly #advance = (): void => {
    const nowMs = performance.now();
    const target = Math.floor(nowMs / TICK_MS);
    const lateMs = nowMs - (this.#tick + 1) * TICK_MS;
    if (lateMs >= STALL_MS_MIN) for (const listener of this.#stallListeners) listener(lateMs);
    const first = Math.max(this.#tick + 1, target - SLOTS + 1);
    for (let tick = first; tick <= target; tick++) this.#collect(this.#slots[tick % SLOTS] as Timer, nowMs);
    this.#tick = target;
    if (this.#due.timerNext !== this.#due && !this.#flushPending) {
      this.#flushPending = true;
      // After a stall the answers of the meantime lie unread in the sockets: one turn of I/O before anything is
      // declared late, else every call in flight times out for a pause that was ours.
      setImmediate(this.#flush);
    }
    if (this.#armed > 0) this.#idleTicks = 0;
    else if (++this.#idleTicks >= IDLE_TICKS_MAX && this.#interval !== null) {
      clearInterval(this.#interval);
      this.#interval = null;
    }
  };

  #collect(head: Timer, nowMs: number): void {
    let timer = head.timerNext as Timer;
    while (timer !== head) {
      const next = timer.timerNext as Timer;
      if (timer.timerDueMs <= nowMs) {
        unlink(timer);
        append(this.#due, timer);
      }
      timer = next;
    }
  }

  readonly #flush = (): void => {
    this.#flushPending = false;
    const due = this.#due;
    for (let timer = due.timerNext as Timer; timer !== due; timer = due.timerNext as Timer) {
      unlink(timer);
      this.#count(timer, -1);
      timer.fire();
    }
  };
}

/** setTimeout takes no more. */
const TIMEOUT_MS_MAX = 2_147_483_647;

/** What setTimeout gave for one arming. */
interface Alarm {
  isOff: boolean;
  handle: unknown;
}

/** One timeout per armed timer, and nothing that one call has begun and another needs. */
class AlarmClock implements Clock {
  readonly #alarms: WeakMap<Timer, Alarm> = new WeakMap();

  now(): number {
    return performance.now();
  }

  wall(): number {
    return Date.now();
  }

  arm(timer: Timer, dueMs: number): void {
    this.disarm(timer);
    timer.timerDueMs = dueMs;
    const alarm: Alarm = { isOff: false, handle: undefined };
    this.#alarms.set(timer, alarm);
    this.#set(timer, alarm);
  }

  disarm(timer: Timer): void {
    const alarm = this.#alarms.get(timer);
    if (alarm === undefined) return;
    alarm.isOff = true;
    this.#alarms.delete(timer);
    try {
      clearTimeout(alarm.handle as never);
    } catch {
      // workerd lets nobody stop a timeout of another request; that one finds itself off.
    }
  }

  #set(timer: Timer, alarm: Alarm): void {
    const forMs = Math.min(Math.max(0, Math.ceil(timer.timerDueMs - this.now())), TIMEOUT_MS_MAX);
    const handle: unknown = setTimeout(() => {
      if (alarm.isOff) return;
      // A timeout may come a little early, and cannot be longer than so many days.
      if (this.now() < timer.timerDueMs) return this.#set(timer, alarm);
      this.#alarms.delete(timer);
      timer.fire();
    }, forMs);
    alarm.handle = handle;
    // A number on Deno and workerd, which count no timers.
    if (!timer.holdsProcess && typeof handle === 'object') (handle as NodeJS.Timeout).unref();
  }
}

/**
 * For runtimes where a timer lives no longer than the request that set it, such as workerd: the wheel would stop with the first
 * one. Costs a timeout per attempt that has a time; no stall of the event loop is seen.
 */
export const alarmClock: Clock = new AlarmClock();

/** The clock of the process; all meshes share its wheel. */
export const systemClock: Clock = new WheelClock();

/** Chance of the process. */
export const systemRandom: Random = Math.random;

/** Runs it when the callbacks of this turn are done: for what must not happen inside a callback of a socket. */
export function nextTurn(run: () => void): void {
  setImmediate(run);
}

class Task extends Timer {
  readonly #run: () => void;
  constructor(run: () => void) {
    super();
    this.#run = run;
  }
  fire(): void {
    this.#run();
  }
}

/** Arms a one-off task; the timer returned can be disarmed. For rare work: the call path uses its own timers. */
export function runAt(clock: Clock, dueMs: number, run: () => void): Timer {
  const task = new Task(run);
  clock.arm(task, dueMs);
  return task;
}
