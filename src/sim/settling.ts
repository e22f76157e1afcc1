// Runs steps with every promise settled in between. The queue of ticks is served only when that of promises is empty,
// so a tick that is asked for by a promise comes after all of them, whatever they set off. No turn of I/O, and no guess
// of how many `await`s the code under test has.
const READY: Promise<void> = Promise.resolve();

/** Calls `step` until it returns false, promises settled before, between and after. The process does nothing else meanwhile. */
export function settling(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDone = false;
    const tick = (): void => {
      if (isDone) {
        resolve();
        return;
      }
      try {
        isDone = !step();
      } catch (error) {
        reject(error);
        return;
      }
      void READY.then(settle);
    };
    const settle = (): void => {
      process.nextTick(tick);
    };
    void READY.then(settle);
  });
}
