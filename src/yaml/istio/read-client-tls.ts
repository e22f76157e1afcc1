// TLS towards a destination. Files are those of the caller's machine; a relative path means the folder of the document.
// Source: Istio, buildUpstreamClusterTLSContext, setAutoSniAndAutoSanValidation.
import { dirname, resolve } from 'node:path';
import type { TlsPolicy } from '../../model/destination.ts';
import { settle } from '../bind-deps.ts';
import type { ReadContext } from '../dialect.ts';
import type { ClientTlsSpec } from './destination-rule-spec.ts';
import type { Block } from './traffic-blocks.ts';

/** `names`: those that the endpoints are known to show; empty when nobody knows. */
export function readClientTls(block: Block<'tls'>, names: readonly string[], context: ReadContext): TlsPolicy {
  const { spec, origin } = block;
  const { mode = 'DISABLE', insecureSkipVerify = false, sni = '', credentialName = '' } = spec;
  if (mode === 'DISABLE') return { mode: 'disable' };
  const file = (key: 'clientCertificate' | 'privateKey' | 'caCertificates' | 'caCrl'): string | undefined => pathOf(spec[key], block);
  const subjectAltNames = (spec.subjectAltNames ?? []).length > 0 ? (spec.subjectAltNames as readonly string[]) : names;
  const common = {
    ...(sni === '' ? {} : { serverName: sni }),
    ...(subjectAltNames.length === 0 || insecureSkipVerify ? {} : { subjectAltNames }),
  };
  if (mode === 'ISTIO_MUTUAL') return mutualByIdentity(block, common, context);
  if (credentialName !== '') {
    const message = `credentialName names a secret of the cluster, which inmesh cannot read; give ${mode === 'MUTUAL' ? 'clientCertificate, privateKey and ' : ''}caCertificates`;
    settle(context, { ...origin, path: [...origin.path, 'credentialName'] }, message, 'INM0011');
  }
  const ca = file('caCertificates');
  const crl = file('caCrl');
  const trust = {
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined ? {} : { crl }),
    ...(insecureSkipVerify ? { verify: 'none' as const } : {}),
  };
  if (mode === 'SIMPLE') return { mode: 'simple', ...common, ...trust };
  const cert = file('clientCertificate');
  const key = file('privateKey');
  return {
    mode: 'mutual',
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...common,
    ...trust,
    ...(ca === undefined ? { webRoots: true as const } : {}),
  };
}

/** With the certificate of this process. A peer whose names nobody knows need only be of the same roots. */
function mutualByIdentity({ origin }: Block<'tls'>, common: Partial<TlsPolicy>, { hasIdentity, ...context }: ReadContext): TlsPolicy {
  if (!hasIdentity) {
    const message = 'ISTIO_MUTUAL needs a certificate of this process; add identity at the top of the configuration';
    settle({ ...context, lenient: false }, { ...origin, path: [...origin.path, 'mode'] }, message, 'INM0302');
  }
  return { mode: 'mutual', ...common, ...(common.subjectAltNames === undefined ? { verify: 'chain' as const } : {}) };
}

function pathOf(value: ClientTlsSpec['caCertificates'], { origin }: Block<'tls'>): string | undefined {
  if (value === undefined || value === '') return undefined;
  return value.includes('-----BEGIN ') ? value : resolve(dirname(origin.resource.document.path), value);
}
