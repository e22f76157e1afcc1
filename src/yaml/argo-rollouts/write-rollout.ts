// A canary for Argo Rollouts: what Istio needs for it, and for each service with a share between two of its own a Rollout
// that moves that share. Only what belongs to traffic is said; the pods are the user's to add.
import type { RouteConfig, ServiceConfig } from '../../model/config.ts';
import type { RouteTarget } from '../../model/route.ts';
import { istioWriter } from '../istio/write-istio.ts';
import { positionIn } from '../resource.ts';
import { isAnswering, targetName } from '../write/describe-route.ts';
import type { Plain, PlainMap } from '../write/plain.ts';
import { placeOf, splitOf } from '../write/service-place.ts';
import type { DialectWriter, MadeResource, ResourceEdit, WriteContext, Written } from '../write/writer.ts';

const ARGO_GROUP = 'argoproj.io';

export const argoRolloutsWriter: DialectWriter = { groups: [...istioWriter.groups, ARGO_GROUP], write };

function write(context: WriteContext): Written {
  const { made, edits } = istioWriter.write(context);
  const naming: ResourceEdit[] = [];
  const rollouts = Object.values(context.config.services).flatMap((service) => rolloutOf(service, made, context, naming) ?? []);
  if (rollouts.length === 0) {
    context.report
      .ofMesh()
      .lost(
        'services',
        'no canary',
        'no service shares its calls between two of its subsets, or between two services; there is nothing to roll out',
      );
  }
  return { made: [...made, ...rollouts], edits: [...edits, ...naming] };
}

interface Canary {
  readonly stable: RouteTarget;
  readonly canary: RouteTarget;
  /** Of the canary, percent. */
  readonly weight: number;
  readonly routes: readonly RouteConfig[];
}

function rolloutOf(
  service: ServiceConfig,
  made: readonly MadeResource[],
  context: WriteContext,
  naming: ResourceEdit[],
): MadeResource | null {
  if (splitOf(service) !== null) return null;
  const found = canaryOf(service);
  if (found === null) return null;
  const { stable, canary, weight, routes } = found;
  const place = placeOf(service, context.config);
  const rules = writtenRules(place.name, made) ?? routes.flatMap((route) => keptRule(route, context, naming) ?? []);
  const subsets = stable.subset === undefined || canary.subset === undefined ? null : { stable: stable.subset, canary: canary.subset };
  const to = `Rollout ${place.name}`;
  const report = context.report.ofService(service);
  const first = routes[0] as RouteConfig;
  context.report
    .ofRoute(service, first)
    .kept('to', { [targetName(stable)]: stable.weight, [targetName(canary)]: canary.weight }, `${to}: steps setWeight ${weight}`);
  report.approximated(
    'subsets',
    subsets === null ? [stable.service, canary.service] : [subsets.stable, subsets.canary],
    `${to}: trafficRouting`,
    'the Rollout chooses the pods: it adds its own label to the subsets, and moves the weights of the rules it names',
  );
  const istio: PlainMap = {
    virtualService: { name: place.name, routes: rules },
    ...(subsets === null
      ? {}
      : { destinationRule: { name: place.name, canarySubsetName: subsets.canary, stableSubsetName: subsets.stable } }),
  };
  const strategy: PlainMap = {
    ...(subsets !== null ? {} : { canaryService: nameOf(canary, context), stableService: nameOf(stable, context) }),
    trafficRouting: { istio },
    steps: [{ setWeight: weight }, { pause: {} }],
  };
  return {
    apiVersion: `${ARGO_GROUP}/v1alpha1`,
    kind: 'Rollout',
    name: place.name,
    namespace: place.namespace,
    parts: { spec: { strategy: { canary: strategy } } },
  };
}

/** All rules that share out the same two; the lighter of them is the canary. */
function canaryOf({ name, routes }: ServiceConfig): Canary | null {
  const isShared = ({ targets }: RouteConfig): boolean =>
    targets.length === 2 && targets.every(({ fails, weight }) => fails === undefined || weight > 0);
  const shared = routes.filter((route) => !isAnswering(route) && isShared(route));
  const [a, b] = shared[0]?.targets ?? [];
  if (a === undefined || b === undefined) return null;
  const areSubsets = a.service === name && b.service === name && a.subset !== undefined && b.subset !== undefined;
  const areServices = a.subset === undefined && b.subset === undefined && a.service !== b.service;
  if (!areSubsets && !areServices) return null;
  const [stable, canary] = a.weight >= b.weight ? [a, b] : [b, a];
  const same = shared.filter(({ targets }) => new Set([...targets, a, b].map(targetName)).size === 2);
  return { stable, canary, weight: Math.round((canary.weight / (a.weight + b.weight)) * 100), routes: same };
}

function nameOf({ service }: RouteTarget, { config }: WriteContext): string {
  const found = config.services[service];
  return found === undefined ? service : placeOf(found, config).name;
}

type Http = readonly { readonly name?: string; readonly route?: readonly unknown[] }[];

/** Names of the rules that were written for the service and share calls out; null when none was. */
function writtenRules(name: string, made: readonly MadeResource[]): Plain[] | null {
  const own = made.find((one) => one.kind === 'VirtualService' && one.name === name);
  if (own === undefined) return null;
  const { http = [] } = own.parts.spec as { readonly http?: Http };
  return http.flatMap((rule) => (rule.name !== undefined && rule.route?.length === 2 ? [rule.name] : []));
}

/** The name of a rule in a document that goes out as it came in; one without a name is given one, because a Rollout asks for it. */
function keptRule({ source, name }: RouteConfig, { kept }: WriteContext, naming: ResourceEdit[]): string | null {
  const resource = kept.at(source);
  if (resource === undefined || source === undefined) return null;
  const { http = [] } = resource.spec as { readonly http?: Http };
  const index = http.findIndex((_, i) => {
    const { line, column } = positionIn(resource, ['spec', 'http', i]);
    return line === source.line && column === source.column;
  });
  const own = http[index]?.name;
  if (own !== undefined || index < 0) return own ?? null;
  naming.push({ resource, path: ['spec', 'http', index, 'name'], value: name });
  return name;
}
