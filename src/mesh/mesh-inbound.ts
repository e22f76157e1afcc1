// The side of one mesh that takes calls in. It comes with the first server, from those who make one: a mesh that only calls
// never loads it. Holds what it will be told until then.
import type { AccessCheck } from '../access/check.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Emit } from '../core/events.ts';
import type { IdentitySource } from '../identity/identity-source.ts';
import type { MeshConfig } from '../model/config.ts';
import type { InboundConfig } from '../model/inbound.ts';
import type { Inbound, InboundSetup, InboundSnapshot } from './inbound.ts';
import type { ServerTelemetry } from './inbound-stack.ts';

export interface MeshInboundDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly telemetry: ServerTelemetry;
  readonly onVerdict: NonNullable<InboundSetup['onVerdict']>;
}

/** Before a configuration is loaded. */
const NO_INBOUND: InboundConfig = { mtls: 'disable', admission: null };

export class MeshInbound {
  readonly #deps: MeshInboundDeps;
  #inbound: Inbound | null = null;
  #config: InboundConfig = NO_INBOUND;
  #setup: InboundSetup = {};

  constructor(deps: MeshInboundDeps) {
    this.#deps = deps;
  }

  /** Throws a TypeError while nobody has made a server. */
  get it(): Inbound {
    if (this.#inbound === null)
      throw new TypeError('this mesh takes no calls in yet: make a server with createServer, protect or admit of inmesh/server');
    return this.#inbound;
  }

  /** Brought by what makes servers. The first one stays. */
  begin(Side: typeof Inbound): void {
    if (this.#inbound !== null) return;
    this.#inbound = new Side(NO_INBOUND, this.#deps.clock);
    this.#inbound.update(this.#config, this.#setup);
  }

  /** Cannot fail: who may call was worked out before. */
  update(
    { inbound, self, identity: wanted, grpcMetrics = false }: MeshConfig,
    identity: IdentitySource | null,
    check: AccessCheck | null,
  ): void {
    const { random, emit, telemetry, onVerdict } = this.#deps;
    this.#config = inbound;
    this.#setup = {
      self,
      identity,
      trustDomainAliases: wanted?.trustDomainAliases ?? [],
      telemetry,
      grpcMetrics,
      random,
      check,
      onVerdict,
      onRefused: ({ address, code, message }) => emit({ type: 'peerRefused', address, code, message }),
      onUnusable: ({ message }) => emit({ type: 'identityFailed', service: '', message }),
    };
    this.#inbound?.update(this.#config, this.#setup);
  }

  snapshot(): InboundSnapshot {
    if (this.#inbound !== null) return this.#inbound.snapshot();
    const limit = this.#config.admission?.limitInitial ?? null;
    return { inFlight: 0, limit, utilization: 0, rejected: 0, expired: 0, baselineMs: 0, refused: {}, malformed: 0 };
  }

  /** null: nobody is served. */
  close(drainMs: number): Promise<void> | null {
    return this.#inbound === null || this.#inbound.isIdle ? null : this.#inbound.close(drainMs);
  }
}
