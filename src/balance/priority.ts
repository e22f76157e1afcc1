// How much of the load each of several priorities is given by its health. Pure arithmetic in whole percent, as Envoy does it.
// Source: Envoy docs "Priority levels", "Panic threshold"; load_balancer_impl.cc.

export interface PriorityLoad {
  /** Percent for each priority; they sum to 100. */
  readonly load: number[];
  /** Whether a priority is to use all of its endpoints, whatever their health. */
  readonly panic: boolean[];
}

/**
 * `healthy` of `total` endpoints at each priority, the preferred one first; there is at least one. Health times
 * `overprovisioning` is what a priority can take; the rest spills to the next. When all together cannot take 100 %, each is
 * given its share of what there is, and a priority below `panicPercent` panics. When all panic, endpoints are counted instead
 * of health. With a threshold of 0 nobody panics: then, without any health, the first is given all, and has nobody to give it to.
 */
export function priorityLoad(
  healthy: readonly number[],
  total: readonly number[],
  overprovisioning: number,
  panicPercent: number,
): PriorityLoad {
  const factor = Math.round(overprovisioning * 100);
  const health = total.map((count, i) => (count === 0 ? 0 : Math.min(100, Math.floor((factor * (healthy[i] as number)) / count))));
  const available = Math.min(
    100,
    health.reduce((sum, one) => sum + one, 0),
  );
  if (available === 0 && panicPercent === 0) return { load: total.map((_, i) => (i === 0 ? 100 : 0)), panic: total.map(() => false) };
  const panic = total.map(
    (count, i) => available < 100 && (count === 0 ? 0 : (100 * (healthy[i] as number)) / count) < Math.min(100, panicPercent),
  );
  return { load: panic.every(Boolean) ? loadByCount(total) : loadByHealth(health, available), panic };
}

function loadByHealth(health: readonly number[], available: number): number[] {
  let left = 100;
  const load = health.map((one) => {
    const share = Math.min(left, Math.floor((one * 100) / available));
    left -= share;
    return share;
  });
  // What rounding left over: one each, the preferred first.
  for (let i = 0; left > 0; i = (i + 1) % load.length) {
    if (health[i] === 0) continue;
    load[i] = (load[i] as number) + 1;
    left--;
  }
  return load;
}

function loadByCount(total: readonly number[]): number[] {
  const all = total.reduce((sum, count) => sum + count, 0);
  const load = total.map((count) => (all === 0 ? 0 : Math.floor((100 * count) / all)));
  const first = Math.max(
    0,
    total.findIndex((count) => count > 0),
  );
  load[first] = 100 - load.reduce((sum, one, i) => (i === first ? sum : sum + one), 0);
  return load;
}
