// For meshes that send calls to Services and know no subsets: which Service a target is, and the documents of those
// Services that nobody has written yet.
import type { ServiceConfig } from '../../model/config.ts';
import type { RouteTarget } from '../../model/route.ts';
import { servicePort, writeService, writeSubsetService } from '../k8s/write-service.ts';
import { fullHost, kubernetesName } from '../world.ts';
import { CLUSTER_DOMAIN, labelName, missingHost, placeOf, type ServicePlace, splitOf } from './service-place.ts';
import { areRoutesKept, hasOwnEndpoints, type MadeResource, type WriteContext } from './writer.ts';

/** Of a Service of which nothing is known. */
const UNKNOWN_PORT = 80;

export interface Backend {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
}

export type AnnotationsOf = (service: ServiceConfig) => Readonly<Record<string, string>>;

export class ServiceBackends {
  readonly #context: WriteContext;
  readonly #annotationsOf: AnnotationsOf;
  /** Subsets that some target names, by the name of their Service. */
  readonly #subsets: Map<string, { readonly service: ServiceConfig; readonly subset: string }> = new Map();

  constructor(context: WriteContext, annotationsOf: AnnotationsOf = () => ({})) {
    this.#context = context;
    this.#annotationsOf = annotationsOf;
  }

  backendOf({ service: name, subset, fails }: Pick<RouteTarget, 'service' | 'subset' | 'fails'>): Backend {
    const { config } = this.#context;
    const split = splitOf({ name } as ServiceConfig);
    const missing = fails === undefined ? null : missingHost(fails);
    const service = missing === null ? config.services[split?.service ?? name] : this.#withHost(missing, subset);
    if (service === undefined) return this.#unknown(missing ?? name, subset);
    const place = this.placeOf(service);
    const wanted = split?.subset ?? subset;
    const port = servicePort(service, place);
    if (wanted === undefined || wanted === '') return { name: place.name, namespace: place.namespace, port };
    const own = labelName(`${place.name}-${wanted}`);
    this.#subsets.set(`${place.namespace}/${own}`, { service, subset: wanted });
    return { name: own, namespace: place.namespace, port };
  }

  /** Nobody answers for it here; a cluster may know better. */
  #withHost(host: string, subset: string | undefined): ServiceConfig | undefined {
    const { config } = this.#context;
    const isMeant = (service: ServiceConfig): boolean => placeOf(service, config).host === host;
    return Object.values(config.services).find((one) => isMeant(one) && (subset === undefined || Object.hasOwn(one.subsets, subset)));
  }

  #unknown(host: string, subset: string | undefined): Backend {
    const { namespace: home } = this.#context.config.self;
    const known = kubernetesName(fullHost(host, home, CLUSTER_DOMAIN), CLUSTER_DOMAIN);
    const name = labelName(`${known?.name ?? host}${subset === undefined ? '' : `-${subset}`}`);
    return { name, namespace: known?.namespace ?? home, port: UNKNOWN_PORT };
  }

  /** A Service has the name of one label. */
  placeOf(service: ServiceConfig): ServicePlace {
    const place = placeOf(service, this.#context.config);
    return place.isKubernetes ? place : { ...place, name: labelName(place.name) };
  }

  /** A service of hosts that only a gateway takes; says so. What a document says that goes out as it came in needs no Service. */
  refuses(service: ServiceConfig): boolean {
    const { hosts } = service;
    if (hosts.length === 0 || !hosts.every((host) => host.startsWith('*'))) return false;
    const scope = this.#context.report.ofService(service);
    if (areRoutesKept(service, this.#context)) scope.kept('hosts', [...hosts], 'its documents');
    else scope.lost('', [...hosts], 'no Service stands for many hosts; attach its rules to a Gateway');
    return true;
  }

  /** Says what becomes of the names and the endpoints of a service. */
  service(service: ServiceConfig): MadeResource[] {
    const report = this.#context.report.ofService(service);
    const place = this.placeOf(service);
    if (place.isKubernetes) {
      if (place.aliases.length > 0) report.lost('hosts', [...place.aliases], `a Service has one name; call ${place.name}`);
    } else {
      const why = `calls of a cluster go to Services by their names; call it as ${place.name}.${place.namespace}`;
      report.lost('hosts', [...service.hosts], why);
      report.approximated('', service.name, `Service ${place.name}`, why);
      this.#context.report
        .ofMesh()
        .approximated(`services.${place.name}`, service.name, `Service ${place.name}`, `the Service that ${service.name} has become`);
    }
    const subsets = Object.keys(service.subsets);
    if (subsets.length > 0)
      report.approximated('subsets', subsets, `Services ${place.name}-…`, 'a Service for each subset that calls are sent to');
    if (!this.#mustBeWritten(service)) return [];
    const annotations = this.#annotationsOf(service);
    return writeService(service, place, { report, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) });
  }

  /** Those that targets have named so far. */
  subsets(): MadeResource[] {
    const { report } = this.#context;
    return [...this.#subsets].flatMap(([key, { service, subset }]) => {
      const name = key.slice(key.indexOf('/') + 1);
      const selector = this.#selectorOf(service);
      const place = { ...this.placeOf(service), name };
      const isGuess = selector === null && (service.endpoints.kind !== 'static' || service.endpoints.endpoints.length === 0);
      const how = isGuess
        ? 'a Service for the subset, which selects by its labels alone: add those of the service'
        : 'a Service for the subset';
      report.ofService(service).approximated('subsets', subset, `Service ${name}`, how);
      report.ofMesh().approximated(`services.${name}`, `${service.name}/${subset}`, `Service ${name}`, how);
      const annotations = this.#annotationsOf(service);
      return writeSubsetService(service, subset, place, selector, Object.keys(annotations).length === 0 ? undefined : annotations);
    });
  }

  /** null: no Service document says it. */
  #selectorOf(service: ServiceConfig): Readonly<Record<string, string>> | null {
    const { name, namespace } = this.placeOf(service);
    const found = this.#context.kept.resources.find((one) => one.kind === 'Service' && one.name === name && one.namespace === namespace);
    return (found?.spec.selector as Readonly<Record<string, string>> | undefined) ?? null;
  }

  #mustBeWritten(service: ServiceConfig): boolean {
    if (hasOwnEndpoints(service, this.#context)) return true;
    const { endpoints, source } = service;
    const isSaid = endpoints.kind !== 'static' || endpoints.endpoints.length > 0;
    return isSaid && source !== undefined && this.#context.kept.at(service.sources?.endpoints ?? source) === undefined;
  }
}
