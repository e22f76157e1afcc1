// What the inmesh lane must show besides answers in time: who called whom by certificate, who was kept out, what became of gRPC
// calls, and of a rotation. Collected from what the processes tell.
import { serviceOf } from './certificates.ts';
import { type Counts, type Lane, LANES, type RpcCounts } from './messages.ts';

/** Calls from one service to another, as the certificates of the connections say it. */
export interface Edge {
  readonly caller: string;
  readonly called: string;
  /** Of the caller. */
  readonly spiffeId: string;
  calls: number;
  /** With the certificate that was issued in mid-run. */
  renewed: number;
}

/** Somebody called who may not. Both sides tell of it, in whatever order. */
export interface Denial {
  /** '' until it has told. */
  caller: string;
  /** Status and text that the caller got. */
  answer: string;
  /** Policy that decided; '' until the one who was called has told. */
  policy: string;
}

/** A caller without a certificate. */
export interface Stranger {
  readonly called: string;
  /** What it saw: an error code, or a status. */
  readonly outcome: string;
}

export interface Rotation {
  /** Of the certificates that were issued. */
  readonly generation: number;
  /** As performance.now() has it. */
  readonly startedAtMs: number;
  /** Processes that have taken the new certificate, and when. */
  readonly taken: Map<string, number>;
  /** Processes that have to. */
  readonly wanted: number;
}

export class Facts {
  /** In the order of the names. */
  readonly edges: Edge[] = [];
  stranger: Stranger | null = null;
  /** Why a service did not take connections. */
  readonly refusals: string[] = [];
  rotation: Rotation | null = null;
  readonly #denials: Map<string, Denial> = new Map();
  readonly #rpcs: { readonly lane: Lane; readonly phase: number; readonly counts: RpcCounts }[] = [];

  /** What a process of the service has counted since it last told. */
  add(service: string, phase: number, { rpcs, callers }: Counts, isRenewed: (fingerprint: string) => boolean): void {
    // The page is called by users, who have no certificates.
    for (const { spiffeId, fingerprint, calls } of service === 'productpage' ? [] : callers) {
      const edge = this.#edge(spiffeId, service);
      edge.calls += calls;
      if (isRenewed(fingerprint)) edge.renewed += calls;
    }
    // Those of others are the ones that are denied on purpose.
    if (service !== 'reviews') return;
    for (const lane of LANES) if (rpcs[lane].calls + rpcs[lane].messages > 0) this.#rpcs.push({ lane, phase, counts: { ...rpcs[lane] } });
  }

  /** gRPC calls of a lane, in one phase or in all. */
  rpcs(lane: Lane, phase?: number): RpcCounts {
    const sum = { calls: 0, messages: 0, failed: 0 };
    for (const entry of this.#rpcs) {
      if (entry.lane !== lane || (phase !== undefined && entry.phase !== phase)) continue;
      sum.calls += entry.counts.calls;
      sum.messages += entry.counts.messages;
      sum.failed += entry.counts.failed;
    }
    return sum;
  }

  get denials(): readonly (Denial & { readonly called: string })[] {
    return [...this.#denials].map(([called, denial]) => ({ called, ...denial }));
  }

  denied(called: string, told: Partial<Denial>): void {
    this.#denials.set(called, { caller: '', answer: '', policy: '', ...this.#denials.get(called), ...told });
  }

  #edge(spiffeId: string, called: string): Edge {
    const found = this.edges.find((edge) => edge.spiffeId === spiffeId && edge.called === called);
    if (found !== undefined) return found;
    const edge = { caller: serviceOf(spiffeId) || 'somebody', called, spiffeId, calls: 0, renewed: 0 };
    this.edges.push(edge);
    this.edges.sort((a, b) => `${a.caller} ${a.called}`.localeCompare(`${b.caller} ${b.called}`));
    return edge;
  }
}
