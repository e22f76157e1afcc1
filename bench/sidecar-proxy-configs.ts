// What the proxies are told: one worker, kept-alive connections on both sides, no access log; the least that a sidecar can be.
// With TLS both sides show a certificate, and each verifies the other. Pure text.
import { SERVER_ID, SERVER_NAME, type TlsFiles } from './sidecar-certificates.ts';

export interface HopTls {
  /** Takes nothing but mTLS, as this. */
  readonly accepts?: TlsFiles;
  /** Speaks mTLS to the next, as this. */
  readonly speaks?: TlsFiles;
}

export interface Hop extends HopTls {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** Where it sends calls to, on loopback. */
  readonly targets: readonly number[];
  /** For its own files. */
  readonly folder: string;
}

export function nginxConfig({ port, targets, folder, accepts, speaks }: Hop): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  const taken =
    accepts === undefined
      ? ''
      : `ssl_certificate ${accepts.cert}; ssl_certificate_key ${accepts.key}; ssl_client_certificate ${accepts.ca};
    ssl_verify_client on; ssl_protocols TLSv1.3;`;
  const sent =
    speaks === undefined
      ? ''
      : `proxy_ssl_certificate ${speaks.cert}; proxy_ssl_certificate_key ${speaks.key}; proxy_ssl_trusted_certificate ${speaks.ca};
      proxy_ssl_verify on; proxy_ssl_name ${SERVER_NAME}; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.3;`;
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; ${paths}
  keepalive_timeout 600s; keepalive_requests 100000000;
  upstream items {
    ${targets.map((p) => `server 127.0.0.1:${p};`).join(' ')}
    keepalive 256; keepalive_requests 100000000; keepalive_timeout 600s; keepalive_time 24h;
  }
  server {
    listen 127.0.0.1:${port}${accepts === undefined ? '' : ' ssl'};
    keepalive_time 24h; ${taken}
    location / {
      proxy_pass ${speaks === undefined ? 'http' : 'https'}://items; proxy_http_version 1.1; proxy_set_header Connection "";
      ${sent}
    }
  }
}
`;
}

export function haproxyConfig({ port, targets, accepts, speaks }: Hop): string {
  const taken = accepts === undefined ? '' : ` ssl crt ${accepts.both} ca-file ${accepts.ca} verify required ssl-min-ver TLSv1.3`;
  const sent =
    speaks === undefined
      ? ''
      : ` ssl crt ${speaks.both} ca-file ${speaks.ca} verify required verifyhost ${SERVER_NAME} sni str(${SERVER_NAME}) ssl-min-ver TLSv1.3`;
  return `global
  nbthread 1
  maxconn 2000
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend in
  bind 127.0.0.1:${port}${taken}
  default_backend items
backend items
${targets.map((p, i) => `  server s${i} 127.0.0.1:${p}${sent}`).join('\n')}
`;
}

const TYPES = 'type.googleapis.com/envoy.extensions';

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

/** A proxy of a mesh shows one certificate on both sides, and asks for a SPIFFE ID of its trust domain. */
function envoyTls(side: 'Downstream' | 'Upstream', { cert, key, ca }: TlsFiles): object {
  const peer = side === 'Upstream' ? { exact: SERVER_ID } : { prefix: `${SERVER_ID.slice(0, SERVER_ID.indexOf('/ns/'))}/` };
  const context = {
    '@type': `${TYPES}.transport_sockets.tls.v3.${side}TlsContext`,
    ...(side === 'Upstream' ? { sni: SERVER_NAME } : { require_client_certificate: true }),
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
      tls_certificates: [{ certificate_chain: { filename: cert }, private_key: { filename: key } }],
      validation_context: { trusted_ca: { filename: ca }, match_typed_subject_alt_names: [{ san_type: 'URI', matcher: peer }] },
    },
  };
  return { transport_socket: { name: 'tls', typed_config: context } };
}

/** JSON. Statistics stay on, as they are in every mesh; there is no access log, no tracing, and no other filter. */
export function envoyConfig({ port, targets, accepts, speaks }: Hop): string {
  const http = {
    '@type': `${TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    common_http_protocol_options: { idle_timeout: '600s' },
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'items', timeout: '0s' } }] }],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${TYPES}.filters.http.router.v3.Router` } }],
  };
  const endpoints = targets.map((p) => ({ endpoint: { address: address(p) } }));
  return JSON.stringify({
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: address(port),
          filter_chains: [
            { filters: [{ name: 'http', typed_config: http }], ...(accepts === undefined ? {} : envoyTls('Downstream', accepts)) },
          ],
        },
      ],
      clusters: [
        {
          name: 'items',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: { cluster_name: 'items', endpoints: [{ lb_endpoints: endpoints }] },
          ...(speaks === undefined ? {} : envoyTls('Upstream', speaks)),
        },
      ],
    },
  });
}
