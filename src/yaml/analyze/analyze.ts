// All analyzers over all documents of a load and over the configuration that came of them.
import type { MeshConfig } from '../../model/config.ts';
import type { ConfigPath } from '../../model/issue.ts';
import type { SourcePosition } from '../../model/route.ts';
import type { Resource } from '../resource.ts';
import { World } from '../world.ts';
import type { Analyzer, Scene } from './analyzer.ts';
import { attemptTimes } from './attempt-times.ts';
import { authorizationScope } from './authorization-scope.ts';
import { conditions } from './conditions.ts';
import { deprecatedFields } from './deprecated-fields.ts';
import { destinationHosts } from './destination-hosts.ts';
import { destinationRuleReach } from './destination-rule-reach.ts';
import { destinationRuleTls } from './destination-rule-tls.ts';
import { destinationSubsets } from './destination-subsets.ts';
import { entryProtocols } from './entry-protocols.ts';
import { type Finding, Findings } from './findings.ts';
import { hashKeys } from './hash-keys.ts';
import { hedges } from './hedges.ts';
import { HostIndex } from './host-index.ts';
import { meshHosts } from './mesh-hosts.ts';
import { missingIdentity } from './missing-identity.ts';
import { nobodyAnswers } from './nobody-answers.ts';
import { outlierShare } from './outlier-share.ts';
import { plainText } from './plain-text.ts';
import { portNames } from './port-names.ts';
import { retryReplays } from './retry-replays.ts';
import { retryStorms } from './retry-storms.ts';
import { selectors } from './selectors.ts';
import { telemetryProviders } from './telemetry-providers.ts';
import { timeouts } from './timeouts.ts';
import { unreachableRoutes } from './unreachable-routes.ts';
import { verification } from './verification.ts';
import { waysOf } from './ways.ts';
import { weights } from './weights.ts';
import { WorkloadIndex } from './workload-index.ts';

const ANALYZERS: readonly Analyzer[] = [
  deprecatedFields,
  destinationHosts,
  destinationSubsets,
  meshHosts,
  destinationRuleTls,
  destinationRuleReach,
  entryProtocols,
  selectors,
  telemetryProviders,
  authorizationScope,
  conditions,
  portNames,
  retryReplays,
  retryStorms,
  attemptTimes,
  outlierShare,
  timeouts,
  hedges,
  hashKeys,
  weights,
  unreachableRoutes,
  nobodyAnswers,
  plainText,
  missingIdentity,
  verification,
];

export interface AnalyzeOptions {
  /** @default nobody knows where the concise form was written */
  readonly at?: Scene['at'];
  /** Whether the documents are all that there is. @default false */
  readonly isWhole?: boolean;
}

/** Never throws. What the load itself has reported about a document is not said again. */
export function analyze(config: MeshConfig, resources: readonly Resource[], options: AnalyzeOptions = {}): readonly Finding[] {
  const found = runAnalyzers(ANALYZERS, config, resources, options);
  const about = new Map<Resource, Finding[]>();
  for (const finding of found) {
    if (finding.resource === undefined) continue;
    const known = about.get(finding.resource);
    if (known === undefined) about.set(finding.resource, [finding]);
    else known.push(finding);
  }
  const places = new Set(resources.flatMap(({ report }) => report.issues.map(({ code, position }) => keyOf(code, position))));
  return found.filter((finding) => {
    if (finding.resource === undefined) return !places.has(keyOf(finding.code, finding.position));
    return !isSaid(finding) && !isWithin(finding, about.get(finding.resource) ?? []);
  });
}

function keyOf(code: string | undefined, position: SourcePosition | undefined): string {
  return `${code} ${position?.file}:${position?.line}:${position?.column}`;
}

/** Some of them, each for itself. */
export function runAnalyzers(
  analyzers: readonly Analyzer[],
  config: MeshConfig,
  resources: readonly Resource[],
  { at = () => undefined, isWhole = false }: AnalyzeOptions = {},
): readonly Finding[] {
  const world = new World();
  for (const resource of resources) world.add(resource);
  const findings = new Findings();
  const hosts = new HostIndex(world, config);
  const scene: Scene = { world, config, at, isWhole, hosts, workloads: new WorkloadIndex(world), ways: waysOf(config) };
  for (const analyzer of analyzers) analyzer(scene, findings);
  return findings.all;
}

/** By the load, about the same piece of the same document, or of one that has a part in it. */
function isSaid({ code, resource, path, involved }: Finding): boolean {
  if (resource === undefined || path === undefined) return false;
  if (involved?.some(({ report }) => report.issues.some((issue) => issue.code === code))) return true;
  return resource.report.issues.some((issue) => issue.code === code && isBelow(path, issue.path.slice(0, path.length)));
}

/** A host that nobody has also has no such port and no such subset. */
function isWithin({ code, path }: Finding, others: readonly Finding[]): boolean {
  if (path === undefined) return false;
  return others.some(
    (other) => other.code === code && other.path !== undefined && other.path.length < path.length && isBelow(path, other.path),
  );
}

function isBelow(path: ConfigPath, holder: ConfigPath): boolean {
  return holder.every((step, i) => step === path[i]);
}
