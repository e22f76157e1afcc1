// The stack by itself: every layer and branch of the mesh over a leaf that answers at once, and the bare leaf beside it. One
// fresh process for each way of telemetry, as providers are global.
import { Child } from './child.ts';
import { type Cost, MEASURE_FLAGS, type MeasurePlan } from './measure.ts';

export type VariantName = 'off' | 'ratio' | 'on' | 'metrics';

export const VARIANTS: readonly { readonly name: VariantName; readonly title: string }[] = [
  { name: 'off', title: 'no OpenTelemetry' },
  { name: 'ratio', title: '1 % sampled' },
  { name: 'on', title: 'all sampled' },
  { name: 'metrics', title: 'all sampled, and a meter provider' },
];

export interface IsolatedCost {
  readonly bare: Cost;
  /** The stack less the bare leaf. */
  readonly over: Cost;
  /** One span of the SDK with six attributes, started and ended by hand: what tracing costs on this machine. Null without tracing. */
  readonly span: Cost | null;
}

export type IsolatedResult = Readonly<Record<VariantName, IsolatedCost>>;

/** A layer put on top to show that the measuring sees it: burns 1.5 µs, or allocates 3 KiB. */
export type Handicap = 'none' | 'slow' | 'hungry';

export interface IsolatedOrder {
  readonly variant: VariantName;
  readonly plan: MeasurePlan;
  readonly handicap: Handicap;
}

/** The difference between two subjects that took turns. */
export function costOver(bare: Cost, stack: Cost): Cost {
  return { nsMedian: stack.nsMedian - bare.nsMedian, nsBest: stack.nsBest - bare.nsBest, bytes: stack.bytes - bare.bytes };
}

/** One measurement in a fresh process. */
export async function measureVariant(variant: VariantName, plan: MeasurePlan, handicap: Handicap = 'none'): Promise<IsolatedCost> {
  const child = new Child('isolated-child.ts', { variant, plan, handicap } satisfies IsolatedOrder, MEASURE_FLAGS);
  try {
    const { bare, stack, span } = await child.answer<{ bare: Cost; stack: Cost; span?: Cost }>();
    return { bare, over: costOver(bare, stack), span: span ?? null };
  } finally {
    await child.stop();
  }
}

export async function measureIsolated(plan: MeasurePlan, progress: (text: string, done: number) => void): Promise<IsolatedResult> {
  const result: Partial<Record<VariantName, IsolatedCost>> = {};
  for (const [index, { name, title }] of VARIANTS.entries()) {
    progress(title, index / VARIANTS.length);
    result[name] = await measureVariant(name, plan);
  }
  return result as IsolatedResult;
}
