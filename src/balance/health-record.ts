// What the checks of one endpoint came to: healthy until so many failures in a row, then unhealthy until so many passes in
// a row. Pure; knows neither time nor sockets.
import type { HealthCheckPolicy } from '../model/balancing.ts';

export class HealthRecord {
  isHealthy = true;
  /** Results in a row that speak against what it is taken for. */
  #against = 0;

  /** Takes a result in; true when it turns the endpoint healthy or unhealthy. */
  record(isPassed: boolean, { unhealthyThreshold, healthyThreshold }: HealthCheckPolicy): boolean {
    if (isPassed === this.isHealthy) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    if (this.#against < Math.max(1, this.isHealthy ? unhealthyThreshold : healthyThreshold)) return false;
    this.isHealthy = isPassed;
    this.#against = 0;
    return true;
  }

  /** Another kind of check: results of the old one do not add up with those of the new one. */
  startOver(): void {
    this.#against = 0;
  }
}
