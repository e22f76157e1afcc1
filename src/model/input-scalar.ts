// Single values as people write them. The words become numbers in resolve-scalar.ts.

/** Go style ("500ms", "1m30s", "1.5s"), at most a year. In code also a number of ms. */
export type DurationInput = string | number;

/** Bytes: a number, or "64KiB", "1MiB". */
export type BytesInput = string | number;

/** A status, or a range such as 500-599. */
export type StatusRangeInput = number | `${number}` | `${number}-${number}`;

/** 0 to 100, plain or as Istio writes it. */
export type PercentageInput = number | { readonly value: number };
