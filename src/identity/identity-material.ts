// What a source was given, checked whole before anybody sees it: every block read, the key fits, the leaf is in time, its own
// roots vouch for it. An empty bundle is refused: Node would take it for the roots of the web.
import { createPrivateKey } from 'node:crypto';
import { type Certificate, readCertificate } from './certificate.ts';
import { CRL_LABELS, readCrl } from './crl.ts';
import type { Identity } from './identity-source.ts';
import { pathFault, timeFault } from './path-check.ts';
import { pemBlocks } from './pem.ts';
import { parseSpiffeId, trustDomainFault } from './spiffe-id.ts';

/** PEM as it was read. */
export interface IdentityMaterial {
  /** Leaf first, then the intermediates. */
  readonly chain: string;
  readonly key: string;
  /** Roots of the leaf's own trust domain; of no domain when the leaf has no SPIFFE ID. Absent: `bundles` has them. */
  readonly roots?: string | undefined;
  /** Roots of trust domains by name. A domain without roots trusts nobody. */
  readonly bundles?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Lists of revoked certificates. */
  readonly crls?: string | undefined;
  /** Of the leaf, when it has no SPIFFE ID and `roots` shall be those of a domain all the same. */
  readonly trustDomain?: string | undefined;
}

/** Throws an Error with a plain sentence. */
export function readIdentity(material: IdentityMaterial, nowMs: number): Omit<Identity, 'version'> {
  const chain = blocksOf(material.chain, 'certificate chain');
  const [leaf, ...intermediates] = chain.map(({ certificate }) => certificate) as [Certificate, ...Certificate[]];
  checkKey(leaf, material.key);
  const late = timeFault(leaf, nowMs);
  if (late !== null)
    throw new Error(`the certificate ${late === 'certificate_expired' ? 'has expired' : 'is not valid yet'} (${period(leaf)})`);
  const id = leaf.uris.length === 1 ? parseSpiffeId(leaf.uris[0] as string) : 'none';
  if (typeof id === 'string' && leaf.uris.some((uri) => uri.startsWith('spiffe:')))
    throw new Error('the SPIFFE ID of the certificate is none, or one of several');
  const spiffeId = typeof id === 'string' ? '' : id.text;
  const bundles = bundlesOf(material, typeof id === 'string' ? (material.trustDomain ?? '') : id.trustDomain);
  const crls = CRL_LABELS.flatMap((label) => pemBlocks(material.crls ?? '', label));
  if (material.crls !== undefined && material.crls.trim() !== '' && crls.length === 0) {
    throw new Error('the lists of revoked certificates hold no block "X509 CRL"');
  }
  for (const crl of crls) readCrl(crl);
  if (typeof id !== 'string') {
    const roots = (bundles.get(id.trustDomain) ?? []).map(readCertificate);
    // Our own revocation is for our peers to find.
    const fault = pathFault({ leaf, intermediates, roots, crls: [], nowMs });
    if (fault !== null) throw new Error(`the roots of ${id.trustDomain} do not vouch for the certificate of this process`);
  }
  return {
    chain: chain.map(({ pem }) => pem),
    key: material.key,
    spiffeId,
    bundles,
    crls: crls.map((crl) => crl.replaceAll(/-(BEGIN|END) CRL-/g, '-$1 X509 CRL-')),
    notBeforeMs: leaf.notBeforeMs,
    notAfterMs: leaf.notAfterMs,
  };
}

function blocksOf(text: string, what: string): { readonly pem: string; readonly certificate: Certificate }[] {
  const blocks = pemBlocks(text, 'CERTIFICATE');
  if (blocks.length === 0) throw new Error(`the ${what} holds no certificate`);
  return blocks.map((pem) => {
    try {
      return { pem, certificate: readCertificate(pem) };
    } catch (error) {
      throw new Error(`the ${what} holds garbage: ${(error as Error).message}`, { cause: error });
    }
  });
}

function checkKey(leaf: Certificate, key: string): void {
  let fits: boolean;
  try {
    fits = leaf.x509.checkPrivateKey(createPrivateKey(key));
  } catch {
    // Nothing of what was wrong with it: a key must not get into a log.
    throw new Error('the private key cannot be read');
  }
  if (!fits) throw new Error('the private key does not fit the certificate');
}

function bundlesOf({ roots, bundles }: IdentityMaterial, ownDomain: string): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, readonly string[]>();
  for (const [domain, blocks] of bundles ?? []) {
    const fault = trustDomainFault(domain);
    if (fault !== null) throw new Error(`${JSON.stringify(domain)} cannot be a trust domain: ${fault}`);
    all.set(
      domain,
      blocks.flatMap((block) => blocksOf(block, `bundle of ${domain}`)).map(({ pem }) => pem),
    );
  }
  if (roots !== undefined) {
    const own = blocksOf(roots, 'bundle of roots').map(({ pem }) => pem);
    all.set(ownDomain, [...(all.get(ownDomain) ?? []), ...own]);
  }
  return all;
}

function period({ notBeforeMs, notAfterMs }: Certificate): string {
  return `${new Date(notBeforeMs).toISOString()} to ${new Date(notAfterMs).toISOString()}`;
}

/** Whether two identities are the same but for their version. */
export function sameIdentity(a: Omit<Identity, 'version'>, b: Omit<Identity, 'version'>): boolean {
  return contentOf(a) === contentOf(b);
}

function contentOf({ chain, key, bundles, crls }: Omit<Identity, 'version'>): string {
  return JSON.stringify([chain, key, [...bundles], crls]);
}
