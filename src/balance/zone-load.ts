// How much of the own zone's calls stay there while its endpoints report that they are busy. A controller, not a threshold: it
// gives away a little more with each look until the reports come down to the bound, and takes back as they fall, so that
// calls do not swing between zones. Pure: time and reports are handed in.

/** How often it looks, ms. A report needs about as long to show what the last step did. */
const LOOK_MS = 250;
/** Steps of the share: down to this factor at a look, up to that one. */
const STEP_DOWN = 0.8;
const STEP_UP = 1.1;
/** Below this nobody would report any more. */
const SHARE_MIN = 0.05;

export class ZoneLoad {
  /** Share of the calls that stay, 0.05 to 1. */
  share = 1;
  /** When it looks next, monotonic ms. */
  dueMs: number = Number.NEGATIVE_INFINITY;

  /** `own`, `others`: mean of the loads reported, NaN when unknown. Call when due. Whether the share changed. */
  look(own: number, others: number, loadMax: number, nowMs: number): boolean {
    this.dueMs = nowMs + LOOK_MS;
    const before = this.share;
    // Nothing is won by sending calls to those that are as busy.
    const isStuck = own > loadMax && others >= own;
    const factor = Number.isNaN(own) ? STEP_UP : isStuck ? 1 : Math.max(STEP_DOWN, Math.min(STEP_UP, loadMax / own));
    this.share = Math.max(SHARE_MIN, Math.min(1, before * factor));
    return this.share !== before;
  }
}
