// One service, without a file: a mesh of one, made in one line. The list of policies says what, never in which order.
import type { EndpointInput, RouteInput, ServiceInput } from '../model/input.ts';
import type { MeshFetch, MeshFetchInit } from '../transport/fetch.ts';
import type { Explanation } from './explain.ts';
import { createMesh } from './create-mesh.ts';
import type { Mesh } from './mesh.ts';
import type { MeshOptions } from './mesh-options.ts';
import type { Policy } from './policies.ts';
import type { MeshSnapshot } from './snapshot.ts';

export interface ClientOptions extends Pick<MeshOptions, 'clock' | 'random' | 'telemetry' | 'transport'> {
  /** Addresses; or subset name → addresses, each endpoint then labelled `subset: name`. @default the host of the URL, by DNS */
  readonly endpoints?: readonly (string | EndpointInput)[] | Readonly<Record<string, readonly (string | EndpointInput)[]>>;
  /** @default none: all defaults of the mesh hold */
  readonly policies?: readonly Policy[];
}

/** A client of one service. */
export interface Client {
  /** Paths are relative to the client's URL. */
  readonly fetch: MeshFetch;
  /** The mesh behind it; waits until it is made. Use it for `dispatcher`, `call`, `events`, `use`. */
  readonly mesh: Promise<Mesh>;
  explain(path: string, request?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> }): Promise<Explanation>;
  snapshot(): Promise<MeshSnapshot>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

function endpointsOf(options: ClientOptions, url: URL): Pick<ServiceInput, 'endpoints' | 'subsets' | 'dns'> {
  const { endpoints } = options;
  if (endpoints === undefined) {
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    // Nobody looks an address up.
    return url.hostname.startsWith('[') ? { endpoints: [`${url.hostname}:${port}`] } : { dns: { host: url.hostname, port } };
  }
  if (Array.isArray(endpoints)) return { endpoints: endpoints as readonly (string | EndpointInput)[] };
  const list: EndpointInput[] = [];
  const subsets: Record<string, Record<string, string>> = {};
  for (const [subset, addresses] of Object.entries(endpoints as Readonly<Record<string, readonly (string | EndpointInput)[]>>)) {
    subsets[subset] = { subset };
    for (const entry of addresses) {
      const endpoint = typeof entry === 'string' ? { address: entry } : entry;
      list.push({ ...endpoint, labels: { ...endpoint.labels, subset } });
    }
  }
  return { endpoints: list, subsets };
}

/** What the policies say, as the config of the service; what they say of routes holds for every route. */
function serviceOf(policies: readonly Policy[]): Partial<ServiceInput> {
  const seen: Set<string> = new Set();
  for (const { name } of policies) {
    if (seen.has(name)) throw new TypeError(`the policy ${name} is given twice`);
    seen.add(name);
  }
  const service: Partial<ServiceInput> = Object.assign({}, ...policies.map((policy) => policy.service));
  const said = policies.flatMap(({ route }) => (route === undefined ? [] : [route]));
  if (said.length === 0) return service;
  const route: Partial<RouteInput> = Object.assign({}, ...said);
  const { routes = [ALL_CALLS] } = service;
  return { ...service, routes: routes.map((one) => ({ ...one, ...route })) };
}

/** Named as the rule that the loader adds for what no other matches. */
const ALL_CALLS: RouteInput = { name: 'default' };

/**
 * `createClient('https://reviews.internal', { endpoints, policies: [timeout('2s'), retry()] })`.
 * Throws a TypeError at once for a URL that is none, or a policy given twice; what is wrong with a policy rejects the first call.
 */
export function createClient(url: string | URL, options: ClientOptions = {}): Client {
  const base = new URL(url);
  // A service's name has no brackets; the host of the URL may be an IPv6 address.
  const name = base.hostname.replace(/[^\w.-]+/g, '-').replace(/^-|-$/g, '');
  const wanted = serviceOf(options.policies ?? []);
  const service: ServiceInput = {
    ...endpointsOf(options, base),
    hosts: [base.hostname],
    ...(base.protocol === 'https:' ? { tls: 'simple' } : {}),
    ...wanted,
  };
  const { endpoints: _endpoints, policies: _policies, ...rest } = options;
  const making = createMesh({ ...rest, config: { services: { [name]: service } } });
  // Whoever calls first is told; until then nobody has to listen.
  making.catch(() => {});

  let made: Mesh | null = null;
  making.then(
    (mesh) => {
      made = mesh;
    },
    () => {},
  );
  const resolve = (input: string | URL | Request): string | URL | Request =>
    typeof input === 'string' && input.startsWith('/') && !input.startsWith('//') && base.pathname === '/'
      ? base.origin + input
      : typeof input === 'string'
        ? new URL(input, base)
        : input;
  const close = async (): Promise<void> => (await making).close();

  return {
    mesh: making,
    fetch: (input, init?: MeshFetchInit) =>
      made === null ? making.then((mesh) => mesh.fetch(resolve(input), init)) : made.fetch(resolve(input), init),
    explain: async (path, request = {}) => (await making).explain({ method: 'GET', ...request, url: new URL(path, base).href }),
    snapshot: async () => (await making).snapshot(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
