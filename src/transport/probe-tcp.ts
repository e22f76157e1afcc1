// The check that asks least: does the port take a connection, with TLS if the service has it?
import { connected, openSocket, PASSED, type ProbeAttempt, type ProbeTarget } from './probe-socket.ts';

export function tcpProbe(target: ProbeTarget): ProbeAttempt {
  const socket = openSocket(target, target.protocol === 'http2' ? ['h2'] : []);
  let isUp = false;
  return {
    result: connected(socket, target).then(() => {
      isUp = true;
      return PASSED;
    }),
    // Not at once: a peer that is still reading our part of the handshake would see a broken connection, and say so.
    close: () => (isUp ? socket.destroySoon() : void socket.destroy()),
  };
}
