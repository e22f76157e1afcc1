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
  /** The endpoint did not accept the certificate of this process. */
  | { readonly type: 'certificateRefused'; readonly service: string; readonly endpoint: string; readonly message: string }
  /** This process has a certificate, the first or the next. */
  | {
      readonly type: 'identityRotated';
      readonly spiffeId: string;
      /** ms since the epoch. */
      readonly notAfterMs: number;
      readonly version: number;
    }
  /** No new certificate, or one that cannot be used; the last good one stays. An empty service means the identity of the mesh. */
  | { readonly type: 'identityFailed'; readonly service: string; readonly message: string }
  /** A third, then a tenth of its life is left, then nothing, and no new one has come. */
  | {
      readonly type: 'identityExpiring';
      readonly spiffeId: string;
      readonly notAfterMs: number;
      readonly severity: 'warning' | 'error' | 'expired';
    }
  /** A call that came in was refused. `policy` is `namespace/name`, '' when none decided; the message names rule and condition. */
  | {
      readonly type: 'callDenied';
      readonly status: number;
      readonly policy: string;
      readonly reason: string;
      readonly message: string;
    }
  /** A call that was let in, and that a dry run or an audit policy would tell of. */
  | { readonly type: 'callAudited'; readonly policy: string; readonly message: string }
  /** A connection that came in was not taken: no certificate, a wrong one, plain bytes where mTLS is asked for. */
  | { readonly type: 'peerRefused'; readonly address: string; readonly code: string; readonly message: string }
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
  /** A body holds its place because its consumer has not read for so long. Once for each body. */
  | { readonly type: 'bodyUnread'; readonly service: string; readonly endpoint: string; readonly forMs: number }
  | { readonly type: 'eventLoopStalled'; readonly forMs: number };

export type Emit = (event: MeshEvent) => void;
