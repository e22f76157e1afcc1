// Callers as Linkerd and SMI name them: by the DNS name or the SPIFFE identity in their certificate, or by their address.
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { ClientIdentity, NetworkRange } from '../model/security.ts';
import { addressTest } from './address.ts';

/** Of a name that Linkerd gives: `name.namespace.serviceaccount.identity.…`. */
const ACCOUNTS = '.serviceaccount.identity.';

export type PeerTest = (peer: PeerIdentity) => boolean;

/** Whether a caller with a certificate is one of them. */
export function clientTest(clients: readonly ClientIdentity[]): PeerTest {
  const tests = clients.map(testOf);
  return (peer) => tests.some((test) => test(peer));
}

function testOf(client: ClientIdentity): PeerTest {
  switch (client.kind) {
    case 'identity':
      return identityTest(client.value);
    case 'spiffe': {
      const wanted = `spiffe://${client.value}`;
      return ({ spiffeId }) => spiffeId === wanted;
    }
    case 'service-account': {
      const { namespace, name } = client;
      const prefix = `${name}.${namespace}${ACCOUNTS}`;
      return (peer) =>
        (peer.serviceAccount === name && peer.namespace === namespace && name !== '') || peer.dns.some((one) => one.startsWith(prefix));
    }
    case 'namespace': {
      const { name } = client;
      const infix = `.${name}${ACCOUNTS}`;
      return (peer) =>
        (name !== '' && peer.namespace === name) || peer.dns.some((one) => one.indexOf('.') === one.indexOf(infix) && one.includes(infix));
    }
    case 'labels':
      // They are in no certificate.
      return () => false;
  }
}

/** `*`: whoever shows a certificate. */
function identityTest(value: string): PeerTest {
  if (value === '*') return () => true;
  if (value.startsWith('*')) {
    const suffix = value.slice(1);
    return ({ dns }) => dns.some((name) => name.endsWith(suffix));
  }
  return ({ dns, spiffeId }) => dns.includes(value) || spiffeId === value;
}

/** Whether an address is in one of the ranges, and in none of its holes. */
export function networkTest(networks: readonly NetworkRange[]): (address: string) => boolean {
  const tests = networks.map(({ cidr, except }) => ({ isIn: addressTest([cidr]), isOut: addressTest(except) }));
  return (address) => tests.some(({ isIn, isOut }) => isIn(address) && !isOut(address));
}
