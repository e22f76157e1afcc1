// A configuration in a simulated world: what it makes of a bad minute, before there is one.
import { createMesh } from 'inmesh';
import { drawRuns, type Pathology, runTrial, seededRandom, simulate, VirtualClock } from 'inmesh/testing';

// #region simulate
const world = {
  clients: 25,
  endpoints: { count: 5, workers: 4, serviceMs: 20 }, // together 1 000 calls a second
  load: 700,
  faults: [{ fromMs: 20_000, untilMs: 30_000, is: { slower: 4 } }],
  durationMs: 60_000,
};
const reviews = { timeout: '1s', retries: { perTryTimeout: '300ms' } };
const result = await simulate({ ...world, config: { services: { reviews } } });
// #endregion

// #region read
const { goodput, p99Ms } = result.stats(10_000, 20_000);
console.log(`before: ${(100 * goodput).toFixed(1)} % answered, p99 ${p99Ms.toFixed(0)} ms`);
console.log(`attempts per call while it lasts: ${result.stats(20_000, 30_000).amplification.toFixed(2)}`);
console.log(`well again after ${(result.recoveryMs(30_000) / 1_000).toFixed(1)} s`);
// #endregion

// #region compare
const unbounded = { ...reviews, circuitBreaker: false, retryBudget: { tokens: 1e6, perSecond: 1e6 } } as const;
const other = await simulate({ ...world, config: { services: { reviews: unbounded } } });
console.log(`without budget and circuit: ${(100 * other.stats(50_000).goodput).toFixed(1)} % answered, 20 s after it was over`);
// #endregion

// #region own
const brownout: Pathology = {
  title: 'half of the endpoints are slow, and fail now and then',
  needs: { endpoints: 2 },
  plan: ({ endpoints, fromMs, untilMs }) => {
    const sick = endpoints.slice(0, endpoints.length / 2).map(({ address }) => address);
    const slow = { fromMs, untilMs, endpoints: sick, is: { slower: 3 } };
    const flaky = { fromMs: (fromMs + untilMs) / 2, untilMs, endpoints: sick, is: { errors: 0.2 } };
    return { faults: [slow, flaky], sick };
  },
};
const trial = await runTrial({ config: 'examples/mesh.yaml', service: 'reviews', pathology: brownout });
console.log(`${trial.inmesh.verdict}; ${trial.comparedWithPlain} than without policies, which is ${trial.plain.verdict}`);
// #endregion

// #region draw
const svg = drawRuns({
  title: 'all servers 4 times slower for 10 s',
  spanMs: [20_000, 30_000],
  runs: [
    { name: 'inmesh', series: result.series() },
    { name: 'no budget, no circuit', series: other.series() },
  ],
});
console.log(`a picture of ${Math.round(svg.length / 1_000)} kB`);
// #endregion

// #region clock
const clock = new VirtualClock();
const mesh = await createMesh({ config: {}, clock, random: seededRandom(7) });
const never = mesh.call('reports', () => new Promise(() => {}), { timeout: '2s' });
const outcome = never.catch(({ code }: { code: string }) => code);
await clock.advance(2_000);
console.log(`${await outcome}, after two seconds that nobody waited for`);
// #endregion
await mesh.close();
