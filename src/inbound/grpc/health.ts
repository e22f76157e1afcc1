// grpc.health.v1.Health for a server of the mesh: serving as long as the mesh wants to be sent calls. Those who watch learn at
// once when it does not any more.
// Source: grpc/health/v1/health.proto; doc/health-checking.md.
import type { handleServerStreamingCall, handleUnaryCall, MethodDefinition, Server, ServerWritableStream } from '@grpc/grpc-js';
import {
  readHealthList,
  readHealthRequest,
  readHealthResponse,
  type ServingStatus,
  writeHealthList,
  writeHealthRequest,
  writeHealthResponse,
} from './health-message.ts';

const NOT_FOUND = 5;
const UNAVAILABLE = 14;

/** An object, because grpc-js takes an empty text for no message. */
export interface HealthRequest {
  /** '' is the whole server. */
  readonly service: string;
}

type Statuses = ReadonlyMap<string, ServingStatus>;
type Check = MethodDefinition<HealthRequest, ServingStatus>;
type List = MethodDefinition<HealthRequest, Statuses>;
type Watcher = ServerWritableStream<HealthRequest, ServingStatus>;

function checkMethod(name: string, responseStream: boolean): Check {
  return {
    path: `/grpc.health.v1.Health/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: ({ service }) => writeHealthRequest(service),
    requestDeserialize: (bytes) => ({ service: readHealthRequest(bytes) }),
    responseSerialize: writeHealthResponse,
    responseDeserialize: readHealthResponse,
  };
}

/** For clients, too: `makeGenericClientConstructor(HEALTH_SERVICE, 'Health')`. Answers are the names of statuses. */
export const HEALTH_SERVICE: { readonly check: Check; readonly watch: Check; readonly list: List } = {
  check: checkMethod('Check', false),
  watch: checkMethod('Watch', true),
  list: {
    path: '/grpc.health.v1.Health/List',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({ service: '' }),
    responseSerialize: (statuses) => writeHealthList(statuses),
    responseDeserialize: readHealthList,
  },
};

export class Health {
  readonly #isReady: () => boolean;
  /** Services beside '', which is the whole server. */
  readonly #services: Map<string, boolean> = new Map();
  /** What each was told last. */
  readonly #watchers: Map<Watcher, ServingStatus> = new Map();

  /** `isReady`: whether calls are wanted at all. */
  constructor(isReady: () => boolean) {
    this.#isReady = isReady;
  }

  /** States the health of one service, by its full name. It counts only while the mesh is ready. */
  set(service: string, isServing: boolean): void {
    this.#services.set(service, isServing);
    this.changed();
  }

  /** SERVICE_UNKNOWN for a name that was not set. */
  statusOf(service: string): ServingStatus {
    const own = service === '' ? (this.#services.get('') ?? true) : this.#services.get(service);
    if (own === undefined) return 'SERVICE_UNKNOWN';
    return own && this.#isReady() ? 'SERVING' : 'NOT_SERVING';
  }

  /** Tells those who watch. */
  changed(): void {
    for (const [watcher, told] of this.#watchers) {
      const status = this.statusOf(watcher.request.service);
      if (status === told) continue;
      this.#watchers.set(watcher, status);
      watcher.write(status);
    }
  }

  /** Nobody watches any more: streams without an end would keep their connections open. */
  end(): void {
    this.changed();
    for (const watcher of this.#watchers.keys()) watcher.emit('error', { code: UNAVAILABLE, details: 'the server is closing' });
    this.#watchers.clear();
  }

  /** Throws an Error when the server has a health service already. */
  addTo(server: Server): void {
    server.addService(HEALTH_SERVICE, { check: this.#check, watch: this.#watch, list: this.#list });
  }

  readonly #check: handleUnaryCall<HealthRequest, ServingStatus> = ({ request }, answer) => {
    const status = this.statusOf(request.service);
    if (status === 'SERVICE_UNKNOWN') answer({ code: NOT_FOUND, details: 'unknown service' });
    else answer(null, status);
  };

  readonly #watch: handleServerStreamingCall<HealthRequest, ServingStatus> = (call) => {
    const status = this.statusOf(call.request.service);
    this.#watchers.set(call, status);
    call.on('cancelled', () => this.#watchers.delete(call));
    call.write(status);
  };

  readonly #list: handleUnaryCall<HealthRequest, Statuses> = (_call, answer) => {
    const names = ['', ...this.#services.keys()];
    answer(null, new Map(names.map((name) => [name, this.statusOf(name)])));
  };
}
