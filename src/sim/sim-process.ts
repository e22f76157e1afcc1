// One process of a simulation with the real library in it. It is the edge, so it does what fetch would: makes the call,
// hands it to the stack, takes the body.
import { Call, type Reply, type Sink } from '../core/call.ts';
import type { Clock } from '../core/clock.ts';
import type { Service } from '../core/service.ts';
import type { Mesh } from '../mesh/mesh.ts';

const NO_BODY: Sink = { onData: () => true, onEnd() {}, onError() {} };

/** What a server answers when what it needs itself has failed. */
const BAD = 503;

function takeBody(reply: Reply): number {
  reply.attach(NO_BODY);
  return reply.status;
}

export class SimProcess {
  readonly mesh: Mesh;
  readonly #clock: Clock;

  constructor(mesh: Mesh, clock: Clock) {
    this.mesh = mesh;
    this.#clock = clock;
  }

  newCall(service: string, method: string, path: string, headers: string[]): Call {
    return new Call({ scheme: 'http', authority: service, method, path, headers, body: null }, this.#clock.now());
  }

  /** Sends the call, and gives its status. Rejects with a MeshError, as the stack does. */
  send(call: Call): Promise<number> {
    const origin = this.mesh.origin(`http://${call.authority}`);
    if (origin === null) throw new TypeError(`simulate: no service ${call.authority} in the configuration`);
    const service: Service = origin.service;
    return service(call).then(takeBody);
  }

  /** Calls a service, as the handler of a server does; gives its status, 503 when there is none. */
  call(service: string, method = 'GET', path = '/'): Promise<number> {
    return this.send(this.newCall(service, method, path, [])).catch(() => BAD);
  }
}
