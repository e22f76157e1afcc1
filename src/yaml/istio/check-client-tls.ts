// TLS of a DestinationRule, as Istio's own validator sees it. Source: istio/istio pkg/config/validation/agent, ValidateTLS;
// analyzers/destinationrule/ca-certificates.go.
import type { ConfigPath } from '../../model/issue.ts';
import type { Report } from '../../model/report.ts';
import type { ClientTlsSpec } from './destination-rule-spec.ts';

export function checkClientTls(tls: ClientTlsSpec, path: ConfigPath, report: Report): void {
  const { mode = 'DISABLE', insecureSkipVerify = false, subjectAltNames } = tls;
  const { clientCertificate = '', privateKey = '', caCertificates = '', caCrl = '', credentialName = '' } = tls;
  const isOwn = mode === 'SIMPLE' || mode === 'MUTUAL';
  const without = (keys: readonly (keyof ClientTlsSpec)[], why: string): void => {
    for (const key of keys)
      if ((tls[key] ?? '') !== '') report.error([...path, key], `${key} and ${why} exclude each other; keep one`, { part: 'key' });
  };
  if (insecureSkipVerify && isOwn) {
    without(['caCertificates', ...(mode === 'SIMPLE' ? (['credentialName'] as const) : [])], 'insecureSkipVerify');
    if (subjectAltNames !== undefined) {
      report.error([...path, 'subjectAltNames'], 'subjectAltNames and insecureSkipVerify exclude each other; keep one', { part: 'key' });
    }
  }
  if (isOwn && credentialName !== '') {
    without(['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'], 'credentialName');
    return;
  }
  if (mode === 'MUTUAL') {
    if (clientCertificate === '') report.error(path, 'tls: MUTUAL needs clientCertificate');
    if (privateKey === '') report.error(path, 'tls: MUTUAL needs privateKey');
  }
  if (!isOwn || caCertificates !== '') return;
  const isPort = path.includes('portLevelSettings');
  const more = insecureSkipVerify ? ', and insecureSkipVerify asks for nothing' : ', so the roots of the web are taken';
  report.warn(path, `tls: ${mode} without caCertificates${more}`, { code: isPort ? 'IST0129' : 'IST0128' });
  if (caCrl !== '') report.warn([...path, 'caCrl'], 'caCrl without caCertificates is a list for other roots', { part: 'key' });
}
