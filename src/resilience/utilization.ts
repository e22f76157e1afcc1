// How busy a service says it is: the mean over the endpoints that report their load. Source: the header `x-inmesh-load`.

/** 0 to 1 and above; null when no endpoint reports. An endpoint that does not has a load of NaN. */
export function utilization(endpoints: readonly { readonly load: number }[]): number | null {
  let sum = 0;
  let reporting = 0;
  for (const { load } of endpoints) {
    if (Number.isNaN(load)) continue;
    sum += load;
    reporting++;
  }
  return reporting === 0 ? null : sum / reporting;
}
