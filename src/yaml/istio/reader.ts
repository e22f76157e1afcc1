// Istio's words for traffic and telemetry: VirtualService, DestinationRule, ServiceEntry, WorkloadEntry, Sidecar, Telemetry.
// Each kind has its form (schema-*), its rules (check-*) and its meaning (read-*).
import type { DialectReader, Kind, ReadContext } from '../dialect.ts';
import type { Drafts, Registry } from '../draft.ts';
import type { World } from '../world.ts';
import { checkDestinationRule } from './check-destination-rule.ts';
import { checkServiceEntry } from './check-service-entry.ts';
import { checkSidecar } from './check-sidecar.ts';
import { checkTelemetry } from './check-telemetry.ts';
import { checkVirtualService } from './check-virtual-service.ts';
import { checkWorkloadEntry } from './check-workload-entry.ts';
import { DestinationRules } from './destination-rules.ts';
import { GROUP } from './http-rule.ts';
import { readDestinationRules } from './read-destination-rules.ts';
import { readServiceEntries } from './read-service-entries.ts';
import { readTelemetry, TELEMETRY_GROUP } from './read-telemetry.ts';
import { readVirtualServices } from './read-virtual-services.ts';
import { destinationRuleSchema } from './schema-destination-rule.ts';
import { serviceEntrySchema, sidecarSchema, workloadEntrySchema } from './schema-registry.ts';
import { telemetrySchema } from './schema-telemetry.ts';
import { virtualServiceSchema } from './schema-virtual-service.ts';
import { sidecarScope } from './sidecar-scope.ts';

/** Source: istio/istio pkg/config/analysis/msg, SchemaValidationError and SchemaWarning. */
const CODES = { error: 'IST0106', warning: 'IST0133' };

function kind(name: string, schema: Kind['schema'], check: NonNullable<Kind['check']>, group = GROUP): Kind {
  const versions = group === GROUP ? ['v1alpha3', 'v1beta1', 'v1'] : ['v1alpha1', 'v1'];
  return { group, kind: name, versions, schema, check, codes: CODES };
}

export const istioReader: DialectReader = {
  dialect: 'istio',
  kinds: [
    kind('VirtualService', virtualServiceSchema, checkVirtualService),
    kind('DestinationRule', destinationRuleSchema, checkDestinationRule),
    kind('ServiceEntry', serviceEntrySchema, checkServiceEntry),
    kind('WorkloadEntry', workloadEntrySchema, checkWorkloadEntry),
    kind('Sidecar', sidecarSchema, checkSidecar),
    kind('Telemetry', telemetrySchema, checkTelemetry, TELEMETRY_GROUP),
  ],
  read,
};

function read(world: World, context: ReadContext): Drafts {
  const scope = sidecarScope(world, context);
  const rules = new DestinationRules(world, context);
  const { backends, mesh, namesOf } = readServiceEntries(world, context);
  const namespaceIn = ({ find }: Registry, host: string): string => find({ host })[0]?.namespace ?? '';
  return {
    backends,
    routes: [],
    policies: [],
    mesh: [...scope.mesh, ...mesh, ...readTelemetry(world, context)],
    late: {
      ...(scope.hides === undefined ? {} : { hides: scope.hides }),
      routes: (registry) => {
        const isHashed = (host: string, subset: string | undefined, port: number | undefined): boolean =>
          rules.isHashed(host, namespaceIn(registry, host), subset, port);
        return readVirtualServices(registry, { world, context, scope, isHashed });
      },
      policies: (registry) => readDestinationRules(registry, { rules, context, namesOf }),
    },
  };
}
