// Names of the headers that the mesh writes and reads.

/** Remaining time for the callee, ms. Source: Envoy. */
export const DEADLINE_HEADER = 'x-envoy-expected-rq-timeout-ms';

/** Number of the attempt; sent from the second on. Source: Envoy. */
export const ATTEMPT_HEADER = 'x-envoy-attempt-count';
