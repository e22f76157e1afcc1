// An identity from a SPIFFE agent (SPIRE, and others that speak the Workload API): a stream that pushes every rotation. When it
// breaks, it is opened again, and the last identity is used until it expires; unless the agent takes it back.
import { runAt, type Timer } from '../core/clock.ts';
import { retryMs } from './callback-source.ts';
import { HeldIdentity, type HeldIdentityDeps } from './held-identity.ts';
import type { IdentitySource } from './identity-source.ts';
import { readSvidMessage } from './workload-message.ts';
import { agentAddress, GRPC_STATUS, openWorkloadStream } from './workload-stream.ts';

export interface WorkloadOptions {
  /** `unix:///path` or `tcp://IP:port`. */
  readonly address: string;
  /** Which SVID, where the agent has several. @default the first */
  readonly hint?: string | undefined;
}

/** Trying again would be answered the same. Source: Workload API §6.1. */
const FINAL: ReadonlySet<number> = new Set([GRPC_STATUS.invalidArgument, GRPC_STATUS.unimplemented]);

/** Throws an Error for a wrong address; the agent itself may come later. */
export function workloadSource({ address, hint = '' }: WorkloadOptions, deps: HeldIdentityDeps): IdentitySource {
  const { clock, random } = deps;
  const open = agentAddress(address);
  const held = new HeldIdentity(deps);
  let timer: Timer | null = null;
  let cancel: () => void = () => {};
  let failures = 0;

  function start(): void {
    timer = null;
    cancel = openWorkloadStream(open, { onMessage, onEnd });
  }

  function onMessage(message: Uint8Array): void {
    failures = 0;
    try {
      held.offer(readSvidMessage(message, hint));
    } catch (error) {
      held.fail(error as Error);
    }
  }

  function onEnd(status: number, message: string): void {
    const error = new Error(`the SPIFFE agent at ${address} gives no identity: ${message || 'no reason given'} (gRPC status ${status})`);
    if (FINAL.has(status)) {
      held.giveUp(error);
      return;
    }
    if (status === GRPC_STATUS.permissionDenied) held.withdraw(error);
    else if (status !== GRPC_STATUS.ok) held.fail(error);
    timer = runAt(clock, clock.now() + retryMs(failures++, random), start);
  }

  held.onClose = () => {
    if (timer !== null) clock.disarm(timer);
    cancel();
  };
  start();
  return held;
}
