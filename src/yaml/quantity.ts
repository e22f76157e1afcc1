// Quantities of Kubernetes, such as 500m, 2 or 1Ki, in thousandths. Source: k8s.io/apimachinery pkg/api/resource, MilliValue.

const QUANTITY = /^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$/;

const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Rounded up, as Kubernetes does it; null when it is no quantity. */
export function milliValue(quantity: number | string): number | null {
  const match = QUANTITY.exec(String(quantity));
  if (match === null) return null;
  const [, digits = '', suffix = ''] = match;
  const power = BINARY.indexOf(suffix) + 1;
  const exponent = power > 0 ? 0 : /^[eE][+-]?[0-9]/.test(suffix) ? Number(suffix.slice(1)) : (DECIMAL[suffix] ?? 0);
  // The decimal point is moved in the text: 0.1 is no number of a computer, 100 thousandths are.
  const milli = Number(`${digits}e${exponent + 3}`) * 1_024 ** power;
  if (!Number.isFinite(milli)) return null;
  return Math.ceil(milli);
}
