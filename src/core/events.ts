// What happened, for people and programs that watch a mesh. One union; `mesh.events` dispatches them, logs and metrics
// read the same.

/** Rules of outlier detection, and labels of `inmesh.ejections`. */
export type EjectionRule =
  | 'consecutive'
  | 'peers'
  | 'probe'
  | 'gateway'
  | 'local-origin'
  | 'success-rate'
  | 'failure-percentage'
  | 'health-check';

export type MeshEvent =
  | { readonly type: 'configLoaded'; readonly hash: string }
  | { readonly type: 'configRejected'; readonly message: string }
  | { readonly type: 'endpointsChanged'; readonly service: string; readonly added: readonly string[]; readonly removed: readonly string[] }
  | { readonly type: 'discoveryFailed'; readonly service: string; readonly message: string }
  | {
      readonly type: 'endpointEjected';
      readonly service: string;
      readonly endpoint: string;
      /** Which rule ejected it; `probe`: it failed again when it was tried. */
      readonly rule: EjectionRule;
      /** For people. */
      readonly reason: string;
      readonly forMs: number;
    }
  | { readonly type: 'endpointReturned'; readonly service: string; readonly endpoint: string }
  | { readonly type: 'circuitOpened'; readonly service: string; readonly reason: string; readonly forMs: number }
  | { readonly type: 'circuitHalfOpened'; readonly service: string }
  | { readonly type: 'circuitClosed'; readonly service: string }
  | { readonly type: 'peerUntrusted'; readonly service: string; readonly endpoint: string; readonly message: string }
  | { readonly type: 'endpointUnhealthy'; readonly service: string; readonly endpoint: string; readonly reason: string }
  | { readonly type: 'endpointHealthy'; readonly service: string; readonly endpoint: string }
  /** Somebody pulled the switch: no retries, no hedges. An empty service means all. */
  | { readonly type: 'repetitionPaused'; readonly service: string; readonly reason: string }
  | { readonly type: 'repetitionResumed'; readonly service: string }
  /** utilisation × attempts per call under total failure is above 0.8: above 1 an outage feeds itself. */
  | {
      readonly type: 'retryMarginLow';
      readonly service: string;
      readonly product: number;
      readonly utilization: number;
      readonly amplification: number;
    }
  | { readonly type: 'eventLoopStalled'; readonly forMs: number };

export type Emit = (event: MeshEvent) => void;
