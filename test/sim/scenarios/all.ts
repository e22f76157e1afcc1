// Every scenario, in order.
import { S7 } from './canary.ts';
import { S10 } from './deploy.ts';
import { S2, S4D, S4E } from './errors.ts';
import { S8 } from './hedge.ts';
import { S6 } from './herd.ts';
import { S11 } from './layers.ts';
import { S1A, S1B } from './metastable.ts';
import { S14 } from './names.ts';
import { S9 } from './overload.ts';
import { S13 } from './reload.ts';
import type { Scenario } from './scenario.ts';
import { S4A, S4B, S4C } from './sinkhole.ts';
import { S3, S3B } from './slow.ts';
import { S15 } from './storm.ts';
import { S12 } from './subset.ts';
import { S5 } from './zone.ts';

export const SCENARIOS: readonly Scenario[] = [
  S1A,
  S1B,
  S2,
  S3,
  S3B,
  S4A,
  S4B,
  S4C,
  S4D,
  S4E,
  S5,
  S6,
  S7,
  S8,
  S9,
  S10,
  S11,
  S12,
  S13,
  S14,
  S15,
];
