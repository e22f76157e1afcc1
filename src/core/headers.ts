// Names of the headers that the mesh writes and reads.

/** Remaining time for the callee, ms. Source: Envoy. */
export const DEADLINE_HEADER = 'x-envoy-expected-rq-timeout-ms';

/** Number of the attempt; sent from the second on. Source: Envoy. */
export const ATTEMPT_HEADER = 'x-envoy-attempt-count';

/** How much the call matters, as a word of CRITICALITIES. Sent when the call says so. */
export const CRITICALITY_HEADER = 'x-inmesh-criticality';

/** Utilisation that a server reports with its answers: calls in flight ÷ limit, 0 to 1, two digits. */
export const LOAD_HEADER = 'x-inmesh-load';

/** Code of the error that an answer of the mesh itself stands for; `overloaded`: the server refused the call before any work. */
export const ERROR_HEADER = 'x-inmesh-error';
