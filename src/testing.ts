// `inmesh/testing`: time that moves when it is told to, chance that repeats, and whole simulations of a configuration, with
// bad days by name and pictures of them.
export type { Distribution } from './sim/distribution.ts';
export { drawRuns, type Picture } from './sim/draw-runs.ts';
export type { Behavior, EndpointModel, FakeEndpoint } from './sim/fake-endpoint.ts';
export type { LoadModel } from './sim/load.ts';
export { pathologies, type Pathology, type PathologyName, type PathologyPlan } from './sim/pathologies.ts';
export type { SimEvent, Stats } from './sim/recording.ts';
export { seededRandom } from './sim/seeded-random.ts';
export type { Series } from './sim/series.ts';
export type { SimProcess } from './sim/sim-process.ts';
export { type EndpointGroup, type Fault, simulate, type SimulationOptions, type SimWorld } from './sim/simulate.ts';
export type { SimulationResult } from './sim/simulation-result.ts';
export type { Site } from './sim/site.ts';
export { runTrial, type Trial, type TrialOptions, type TrialRun } from './sim/trial.ts';
export { VirtualClock } from './sim/virtual-clock.ts';
