// What Envoy's outlier detection counts of one endpoint. Kept on its standing; written by envoy-outlier.ts alone.

/** Calls of one kind of origin in the interval under way, and in the last full one. */
export class OriginCounts {
  good = 0;
  total = 0;
  lastGood = 0;
  lastTotal = 0;

  add(isGood: boolean): void {
    this.total++;
    if (isGood) this.good++;
  }

  /** A sweep: what was counted becomes the last full interval. */
  swap(): void {
    this.lastGood = this.good;
    this.lastTotal = this.total;
    this.good = 0;
    this.total = 0;
  }

  /** Percent of the last full interval. Call only when it had calls. */
  get successRate(): number {
    return (this.lastGood * 100) / this.lastTotal;
  }
}

export class EnvoyCounters {
  run5xx = 0;
  runGateway = 0;
  runLocal = 0;
  /** Answers; without a split all endings. */
  readonly external: OriginCounts = new OriginCounts();
  /** Connections made and lost. Used only with a split. */
  readonly local: OriginCounts = new OriginCounts();
  /** What the base time is multiplied by. */
  multiplier = 0;
  /** Drawn at the ejection, ms. */
  jitterMs = 0;
  ejectedAtMs = 0;
  /** NaN: it never was out. */
  returnedAtMs: number = Number.NaN;

  resetRuns(): void {
    this.run5xx = 0;
    this.runGateway = 0;
    this.runLocal = 0;
  }
}
