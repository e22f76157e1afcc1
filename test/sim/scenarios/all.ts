// Every scenario that can be run today, in order.
import { S1A, S1B } from './metastable.ts';
import type { Scenario } from './scenario.ts';
import { S4A, S4B, S4C } from './sinkhole.ts';
import { S3, S3B } from './slow.ts';

export const SCENARIOS: readonly Scenario[] = [S1A, S1B, S3, S3B, S4A, S4B, S4C];
