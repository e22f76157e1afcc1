// All that is fuzzed. A target is added here and nowhere else: its corpus is replayed by the tests from then on.
import { plantedReader } from './planted.ts';
import type { FuzzTarget } from './target.ts';
import { accessTextTarget, authorizerTarget, firstBytesTarget, pathReadingsTarget } from './targets/access.ts';
import { clientCertTarget, decisionTarget, headTarget, traceHeadersTarget } from './targets/decisions.ts';
import { configTarget } from './targets/config-file.ts';
import { cacheControlTarget, cookieTarget, deadlineTarget, headerTextTarget, retryAfterTarget } from './targets/headers.ts';
import { bundleMapTarget, certificateTarget, derTarget, spiffeTarget, workloadTarget } from './targets/identity.ts';
import { addressTarget, durationTarget, instantTarget, variablesTarget } from './targets/model-texts.ts';
import { pathMatchTarget, pathRewriteTarget, queryTarget } from './targets/paths.ts';
import { regexTarget, replaceTarget } from './targets/patterns.ts';

export const TARGETS: readonly FuzzTarget[] = [
  configTarget,
  pathMatchTarget,
  pathRewriteTarget,
  queryTarget,
  regexTarget,
  replaceTarget,
  retryAfterTarget,
  deadlineTarget,
  cacheControlTarget,
  cookieTarget,
  headerTextTarget,
  durationTarget,
  instantTarget,
  addressTarget,
  variablesTarget,
  pathReadingsTarget,
  accessTextTarget,
  firstBytesTarget,
  authorizerTarget,
  decisionTarget,
  headTarget,
  clientCertTarget,
  traceHeadersTarget,
  spiffeTarget,
  derTarget,
  certificateTarget,
  workloadTarget,
  bundleMapTarget,
];

/** Not one of them: it has a bug, and the fuzzer must find it. */
export const PLANTED: FuzzTarget = {
  name: 'planted',
  what: 'the fuzzer finds a bug five levels deep',
  seeds: [''],
  words: [],
  lengthMax: 16,
  start: () => Promise.resolve((input) => void plantedReader(input)),
};
