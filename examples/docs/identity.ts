// An identity that a function fetches, here from a development CA in place of Vault or a cloud's; and what the mesh shows of it.
import { createMesh } from 'inmesh';
import { callbackSource, newAuthority, systemClock, systemRandom } from 'inmesh/identity';

const authority = newAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });

async function askVault(): Promise<{ cert: string; key: string; ca: string }> {
  const { chain, key } = authority.issue({ spiffeId: 'spiffe://cluster.local/ns/default/sa/productpage', nowMs: Date.now() });
  return { cert: chain.join(''), key, ca: authority.cert };
}

// #region callback
const identity = callbackSource(askVault, { clock: systemClock, random: systemRandom }); // { cert, key, ca }, PEM
await using mesh = await createMesh({ config: { identity: { external: true }, services: {} }, identity });
// #endregion
const { spiffeId, generation, trustDomains } = mesh.snapshot().certs ?? {};
console.log(spiffeId, generation, trustDomains);
identity.close();
