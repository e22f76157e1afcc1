// Plays the suite: every test with a mesh of its own over the same pods. Says of each case whether it holds, and if not, or
// if it is not played, why.
import { systemClock } from '../../../src/core/clock.ts';
import type { Dispatcher } from '../../../src/transport/undici.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { wait } from './echo-pod.ts';
import { type Client, gatewayDoor, gatewayName, startClient } from './edge.ts';
import { KNOWN } from './known-failures.ts';
import { type Measured, mirrorFault, mirrorShareFault, repeatedFault, shareHeaderFault, webSocketFault, weightsFault } from './measure.ts';
import { INFRA, manifestsOf, MESH, type Suite, type SuiteCase, type SuiteTest } from './suite.ts';

export interface CaseResult {
  readonly test: string;
  readonly kind: string;
  readonly index: number;
  readonly name: string;
  /** The mark of the case or of its test; undefined: the case applies to a client. */
  readonly needs: string | undefined;
  readonly outcome: 'passed' | 'failed' | 'excluded';
  /** Of what did not pass. */
  readonly reason: string;
}

export interface SuiteResult {
  readonly cases: readonly CaseResult[];
  /** Tests whose documents need `lenient`, with the conflict. */
  readonly lenient: readonly { readonly test: string; readonly reason: string }[];
}

/** Cases hold when they hold this often in a row. */
const CONSECUTIVE = 3;
/** Retries of a case before it share their backend with it, which serves one attempt at a time: like the suite, we wait until it holds. */
const CONSISTENT_MS_MAX = 8_000;
const PAUSE_MS = 100;
/** What is known not to hold must not hold by chance. */
const CONSECUTIVE_KNOWN = 10;
const LANES = 4;
/** They share a backend that serves one attempt at a time. */
const ALONE = 'retry';

export async function playSuite(suite: Suite): Promise<SuiteResult> {
  const cluster = await startCluster([`${suite.folder}base/manifests.yaml`, `${suite.folder}mesh/manifests.yaml`]);
  const cases: CaseResult[][] = [];
  const lenient: { test: string; reason: string }[] = [];
  const queue = suite.tests.map((test, i) => ({ test, i }));
  const retrying = queue.filter(({ test }) => test.kind === ALONE);
  const others = queue.filter(({ test }) => test.kind !== ALONE);
  const lane = async (tests: typeof queue): Promise<void> => {
    for (let one = tests.shift(); one !== undefined; one = tests.shift()) {
      cases[one.i] = await new TestRun(suite, one.test, cluster, lenient).play();
    }
  };
  try {
    await Promise.all([lane(retrying), ...Array.from({ length: LANES }, () => lane(others))]);
  } finally {
    cluster.close();
  }
  return { cases: cases.flat(), lenient: lenient.sort((a, b) => (a.test < b.test ? -1 : 1)) };
}

class TestRun {
  readonly #suite: Suite;
  readonly #test: SuiteTest;
  readonly #cluster: Cluster;
  readonly #lenient: { test: string; reason: string }[];
  readonly #clients: Map<string, Promise<Client>> = new Map();

  constructor(suite: Suite, test: SuiteTest, cluster: Cluster, lenient: { test: string; reason: string }[]) {
    this.#suite = suite;
    this.#test = test;
    this.#cluster = cluster;
    this.#lenient = lenient;
  }

  async play(): Promise<CaseResult[]> {
    const { cases, custom, needs } = this.#test;
    const results: CaseResult[] = [];
    try {
      for (const [index, one] of cases.entries()) results.push(await this.#case(one, index));
      if (custom?.frames !== undefined) results.push(await this.#webSocket(custom));
      if (cases.length === 0 && needs !== undefined) return [];
    } finally {
      for (const client of this.#clients.values()) await (await client.catch(() => null))?.close();
    }
    return results;
  }

  async #case(one: SuiteCase, index: number): Promise<CaseResult> {
    const { test, kind, needs: needsOfTest } = this.#test;
    const needs = one.needs ?? needsOfTest;
    const result = { test, kind, index, name: one.name, needs };
    if (needs !== undefined) return { ...result, outcome: 'excluded', reason: this.#suite.needs[needs] ?? needs };
    const known = KNOWN[`${test} ${index}`];
    let reason: string | null;
    try {
      reason = await this.#fault(one, known === undefined ? CONSECUTIVE : CONSECUTIVE_KNOWN);
    } catch (error) {
      reason = (error as Error).message.split('\n')[0] ?? '';
    }
    return { ...result, outcome: reason === null ? 'passed' : 'failed', reason: reason === null ? '' : (known ?? reason) };
  }

  async #fault(one: SuiteCase, times: number): Promise<string | null> {
    const { custom = {}, kind } = this.#test;
    const measured = await this.#measured(one);
    if (one.request.requestIdQueryParam === true) return mirrorFault(one, measured);
    const patienceMs = kind === ALONE && times === CONSECUTIVE ? CONSISTENT_MS_MAX : 0;
    const wrong = (await lastFault(() => repeatedFault(one, measured, times), patienceMs)) ?? (await this.#faultByName(one));
    if (wrong !== null) return wrong;
    if (custom.bands !== undefined) return mirrorShareFault(one, custom, measured);
    if (custom.weights !== undefined) return weightsFault(one, custom, measured);
    return custom.header === undefined ? null : shareHeaderFault(one, custom, measured);
  }

  async #measured(one: SuiteCase): Promise<Measured> {
    const { suite, gateway = '' } = this.#test;
    const { pods } = this.#cluster;
    if (suite === 'mesh') {
      const { mesh } = await this.#client(one.client?.namespace ?? MESH);
      const host = (one.request.host ?? '').startsWith('{') ? podAddress(this.#cluster) : 'echo';
      return { dispatcher: mesh.dispatcher, rpc: mesh, host, isMesh: true, pods };
    }
    const { mesh } = await this.#client(INFRA);
    const name = one.gateway ?? gateway;
    return { dispatcher: gatewayDoor(mesh, name), host: gatewayName(name), isMesh: false, pods };
  }

  /** A host that a route names is called by its name, too, without any Gateway. */
  async #faultByName(one: SuiteCase): Promise<string | null> {
    const host = one.request.host ?? one.request.grpc?.authority;
    if (this.#test.suite === 'mesh' || host === undefined) return null;
    const { mesh } = await this.#client(INFRA);
    if (mesh.origin(`http://${host}`) === null) return null;
    const fault = await repeatedFault(one, { dispatcher: mesh.dispatcher, host, isMesh: false, pods: this.#cluster.pods }, 1);
    return fault === null ? null : `called by its own name: ${fault}`;
  }

  #client(namespace: string): Promise<Client> {
    const known = this.#clients.get(namespace);
    if (known !== undefined) return known;
    const files = manifestsOf(this.#suite, this.#test);
    const { endpointSlices = [], filledWith = '' } = this.#test.custom ?? {};
    const filled = new Map(endpointSlices.map((name) => [name.replace(/-ip[46]$/, ''), filledWith.replace('pods of ', '')]));
    const client = startClient({ folder: this.#suite.folder, files, beside: this.#cluster.beside(files, filled), namespace }).then(
      (started) => {
        if (started.isLenient) this.#lenient.push({ test: this.#test.test, reason: conflictOf(started) });
        return started;
      },
    );
    this.#clients.set(namespace, client);
    return client;
  }

  async #webSocket(custom: NonNullable<SuiteTest['custom']>): Promise<CaseResult> {
    const { test, kind, gateway = '' } = this.#test;
    const { mesh } = await this.#client(INFRA);
    const dispatcher: Dispatcher = gatewayDoor(mesh, gateway);
    const reason = await webSocketFault(custom, { dispatcher, host: gatewayName(gateway), isMesh: false, pods: this.#cluster.pods });
    const result = { test, kind, index: 0, name: 'the exchange of frames', needs: undefined };
    return { ...result, outcome: reason === null ? 'passed' : 'failed', reason: reason ?? '' };
  }
}

/** Asks again for a while. */
async function lastFault(find: () => Promise<string | null>, patienceMs: number): Promise<string | null> {
  const endMs = systemClock.now() + patienceMs;
  for (;;) {
    const fault = await find();
    if (fault === null || systemClock.now() >= endMs) return fault;
    await wait(PAUSE_MS);
  }
}

function conflictOf({ warnings }: Client): string {
  return warnings.find(({ code }) => code === 'INM0012')?.message.replace(/\([^()]*\/[^()]*\)/g, '') ?? '';
}

/** Of echo-v2: plain HTTP, past all Services. */
function podAddress({ pods }: Cluster): string {
  const pod = pods.find(({ name, namespace }) => namespace === MESH && name.startsWith('echo-v2'));
  return `127.0.0.1:${pod?.ports.get(8080)}`;
}
