// What a SPIFFE agent says: X509SVIDResponse as identity material. Each message is the whole state; one that lacks a part is
// not used at all. Source: workload.proto, SPIFFE Workload API §5.
import { readCertificate } from './certificate.ts';
import { derSeries } from './der.ts';
import type { IdentityMaterial } from './identity-material.ts';
import { pemText } from './pem.ts';
import { protobufFields } from './protobuf.ts';
import { parseSpiffeId, trustDomainFault } from './spiffe-id.ts';

const RESPONSE = { svids: 1, crls: 2, federatedBundles: 3 } as const;
const SVID = { spiffeId: 1, chain: 2, key: 3, bundle: 4, hint: 5 } as const;
const ENTRY = { key: 1, value: 2 } as const;

/** `hint`: which one of several; ''  takes the first, which is the default one. Throws an Error with a plain sentence. */
export function readSvidMessage(message: Uint8Array, hint: string): IdentityMaterial {
  const response = protobufFields(message);
  const svids = (response.get(RESPONSE.svids) ?? []).map(readSvid);
  const svid = hint === '' ? svids[0] : svids.find((one) => one.hint === hint);
  if (svid === undefined)
    throw new Error(hint === '' ? 'the agent sent no SVID' : `the agent sent no SVID with the hint ${JSON.stringify(hint)}`);
  const bundles = new Map<string, readonly string[]>();
  for (const entry of response.get(RESPONSE.federatedBundles) ?? []) {
    const fields = protobufFields(entry);
    const domain = textOf(fields.get(ENTRY.key)).replace(/^spiffe:\/\//, '');
    const fault = trustDomainFault(domain);
    if (fault !== null) throw new Error(`the agent sent a bundle of ${JSON.stringify(domain)}: ${fault}`);
    bundles.set(domain, certificatesOf(fields.get(ENTRY.value)));
  }
  bundles.set(svid.trustDomain, svid.bundle);
  const crls = (response.get(RESPONSE.crls) ?? []).map((crl) => pemText('X509 CRL', crl));
  return { chain: svid.chain.join(''), key: svid.key, bundles, crls: crls.join('') };
}

interface Svid {
  readonly trustDomain: string;
  readonly chain: readonly string[];
  readonly key: string;
  readonly bundle: readonly string[];
  readonly hint: string;
}

function readSvid(message: Uint8Array): Svid {
  const fields = protobufFields(message);
  const spiffeId = textOf(fields.get(SVID.spiffeId));
  const id = parseSpiffeId(spiffeId);
  if (typeof id === 'string') throw new Error(`the agent sent ${JSON.stringify(spiffeId)} as a SPIFFE ID: ${id}`);
  const chain = certificatesOf(fields.get(SVID.chain));
  const key = fields.get(SVID.key)?.at(-1);
  const bundle = certificatesOf(fields.get(SVID.bundle));
  if (chain.length === 0 || key === undefined || key.length === 0 || bundle.length === 0) {
    throw new Error(`the agent sent ${spiffeId} without its certificate, key or bundle`);
  }
  const { uris } = readCertificate(chain[0] as string);
  if (uris.length !== 1 || uris[0] !== spiffeId) throw new Error(`the agent sent ${spiffeId} with the certificate of somebody else`);
  return { trustDomain: id.trustDomain, chain, key: pemText('PRIVATE KEY', key), bundle, hint: textOf(fields.get(SVID.hint)) };
}

function textOf(values: readonly Uint8Array[] | undefined): string {
  return Buffer.from(values?.at(-1) ?? []).toString('utf8');
}

/** DER of one certificate after the other, as PEM. */
function certificatesOf(values: readonly Uint8Array[] | undefined): string[] {
  return derSeries(values?.at(-1) ?? new Uint8Array()).map(({ whole }) => pemText('CERTIFICATE', whole));
}
