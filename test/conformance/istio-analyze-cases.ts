// The cases of Istio's own analyzer tests: which documents, which analyzer, which findings on which documents. The facts are
// those of istio/istio pkg/config/analysis/analyzers/analyzers_test.go (testGrid, commit 86c9f01); the documents bring none.
import type { Analyzer } from '../../src/yaml/analyze/analyzer.ts';
import { authorizationScope } from '../../src/yaml/analyze/authorization-scope.ts';
import type { IstioCode } from '../../src/yaml/analyze/code.ts';
import { conditions } from '../../src/yaml/analyze/conditions.ts';
import { deprecatedFields } from '../../src/yaml/analyze/deprecated-fields.ts';
import { destinationHosts } from '../../src/yaml/analyze/destination-hosts.ts';
import { destinationRuleReach } from '../../src/yaml/analyze/destination-rule-reach.ts';
import { destinationRuleTls } from '../../src/yaml/analyze/destination-rule-tls.ts';
import { destinationSubsets } from '../../src/yaml/analyze/destination-subsets.ts';
import { entryProtocols } from '../../src/yaml/analyze/entry-protocols.ts';
import { meshHosts } from '../../src/yaml/analyze/mesh-hosts.ts';
import { portNames } from '../../src/yaml/analyze/port-names.ts';
import { selectors } from '../../src/yaml/analyze/selectors.ts';
import { telemetryProviders } from '../../src/yaml/analyze/telemetry-providers.ts';

/** `IST0101 VirtualService default/reviews`; a document without a namespace is in `default`. */
export type Expected = `${IstioCode} ${string}`;

export interface AnalyzeCase {
  readonly name: string;
  /** Without `.yaml`. */
  readonly files: readonly string[];
  /** `reader`: what the reader of the documents finds by itself. */
  readonly analyzer: Analyzer | 'reader';
  /** Codes that count. */
  readonly codes: readonly IstioCode[];
  readonly expected: readonly Expected[];
  /** Findings of Istio's that cannot be ours. */
  readonly without?: { readonly findings: readonly string[]; readonly why: string };
}

const HOSTS: readonly IstioCode[] = ['IST0101', 'IST0112'];
const TLS: readonly IstioCode[] = ['IST0128', 'IST0129'];
const SUBSETS: readonly IstioCode[] = ['IST0173', 'IST0174'];

/** `each('IST0109 VirtualService', 'foo/a', 'foo/b')`. */
function each(what: `${IstioCode} ${string}`, ...names: readonly string[]): Expected[] {
  return names.map((name): Expected => `${what} ${name}`);
}

function tls(name: string, file: string, ...expected: readonly Expected[]): AnalyzeCase {
  return { name, files: [file], analyzer: destinationRuleTls, codes: TLS, expected };
}

function subsets(name: string, file: string, ...expected: readonly Expected[]): AnalyzeCase {
  return { name, files: [file], analyzer: destinationRuleReach, codes: SUBSETS, expected };
}

function protocols(name: string, file: string, ...expected: readonly Expected[]): AnalyzeCase {
  return { name, files: [file], analyzer: entryProtocols, codes: ['IST0177'], expected };
}

function ports(name: string, file: string, ...expected: readonly Expected[]): AnalyzeCase {
  return { name, files: [file], analyzer: portNames, codes: ['IST0118', 'IST0150'], expected };
}

export const ANALYZE_CASES: readonly AnalyzeCase[] = [
  {
    name: 'deprecation',
    files: ['deprecation'],
    analyzer: deprecatedFields,
    codes: ['IST0002'],
    expected: ['IST0002 VirtualService foo/productpage', 'IST0002 Sidecar default/no-selector'],
  },
  ports(
    'portNameNotFollowConvention',
    'service-no-port-name',
    ...each('IST0118 Service', 'my-namespace1/my-service1', 'my-namespace1/my-service1', 'my-namespace2/my-service2'),
  ),
  ports('namedPort', 'service-port-name'),
  ports('unnamedPortInSystemNamespace', 'service-no-port-name-system-namespace'),
  ports(
    'ExternalNameServiceTypeInvalidPortName',
    'incorrect-port-name-external-name-service-type',
    ...each('IST0150 Service', 'nginx-ns/nginx', 'nginx-ns2/nginx-svc2', 'nginx-ns3/nginx-svc3'),
  ),
  ports('ExternalNameServiceTypeValidPortName', 'correct-port-name-external-name-service-type'),
  {
    name: 'sidecarDefaultSelector',
    files: ['sidecar-default-selector'],
    analyzer: selectors,
    codes: ['IST0101', 'IST0110', 'IST0111'],
    expected: each('IST0111 Sidecar', 'ns2/has-conflict-1', 'ns2/has-conflict-2'),
    without: {
      findings: ['IST0167 Sidecar ns-ambient/namespace-scoped', 'IST0167 Sidecar ns-ambient/pod-scoped'],
      why: 'ambient mode is of the cluster: a process obeys its Sidecar wherever it runs',
    },
  },
  {
    name: 'sidecarSelector',
    files: ['sidecar-selector'],
    analyzer: selectors,
    codes: ['IST0101', 'IST0110', 'IST0111'],
    expected: [
      ...each('IST0101 Sidecar', 'default/maps-to-nonexistent', 'other/maps-to-different-ns'),
      ...each('IST0110 Sidecar', 'default/dupe-1', 'default/dupe-2', 'default/overlap-1', 'default/overlap-2'),
    ],
  },
  {
    name: 'telemetrySelector',
    files: ['telemetry-selector'],
    analyzer: selectors,
    codes: ['IST0101', 'IST0159'],
    expected: [
      ...each('IST0101 Telemetry', 'default/maps-to-nonexistent', 'other/maps-to-different-ns'),
      ...each('IST0159 Telemetry', 'default/dupe-1', 'default/dupe-2', 'default/overlap-1', 'default/overlap-2'),
    ],
  },
  {
    name: 'telemetryDefaultSelector',
    files: ['telemetry-default-selector'],
    analyzer: selectors,
    codes: ['IST0160'],
    expected: each('IST0160 Telemetry', 'ns2/has-conflict-2', 'ns2/has-conflict-1'),
  },
  {
    name: 'Analyze invalid telemetry: empty provider',
    files: ['telemetry-invalid-provider'],
    analyzer: telemetryProviders,
    codes: ['IST0157'],
    expected: ['IST0157 Telemetry istio-system/mesh-default'],
  },
  {
    name: 'Analyze invalid telemetry: disabled',
    files: ['telemetry-disable-provider'],
    analyzer: telemetryProviders,
    codes: ['IST0157'],
    expected: [],
  },
  {
    name: 'virtualServiceConflictingMeshGatewayHosts',
    files: ['virtualservice_conflictingmeshgatewayhosts'],
    analyzer: meshHosts,
    codes: ['IST0109'],
    expected: [
      ...each('IST0109 VirtualService', 'team3/ratings', 'team4/ratings', 'foo/ratings', 'bar/ratings', 'foo/productpage'),
      ...each('IST0109 VirtualService', 'foo/bogus-productpage', 'team2/ratings'),
    ],
  },
  {
    name: 'virtualServiceConflictingMeshGatewayHostsWithExportTo',
    files: ['virtualservice_conflictingmeshgatewayhosts_with_exportto'],
    analyzer: meshHosts,
    codes: ['IST0109'],
    expected: [
      ...each('IST0109 VirtualService', 'foo/productpage', 'bar/productpage', 'foo/productpage-c', 'bar/productpage-c'),
      ...each('IST0109 VirtualService', 'foo/productpage-d', 'bar/productpage-d'),
    ],
  },
  {
    name: 'virtualServiceDestinationHosts',
    files: ['virtualservice_destinationhosts'],
    analyzer: destinationHosts,
    codes: HOSTS,
    expected: [
      ...each('IST0101 VirtualService', 'default/reviews-bogushost', 'default/reviews-bogushost', 'default/reviews-bookinfo-other'),
      ...each('IST0101 VirtualService', 'default/reviews-mirror-bogushost', 'default/reviews-bogusport'),
      'IST0112 VirtualService default/reviews-2port-missing',
      ...each('IST0101 VirtualService', 'istio-system/cross-namespace-details', 'hello/hello-export-to-bogus'),
    ],
  },
  {
    name: 'virtualServiceDestinationRules',
    files: ['virtualservice_destinationrules'],
    analyzer: destinationSubsets,
    codes: HOSTS,
    expected: each('IST0101 VirtualService', 'default/reviews-bogussubset', 'default/reviews-mirror-bogussubset'),
  },
  {
    name: 'dupmatches',
    files: ['virtualservice_dupmatches', 'virtualservice_overlappingmatches'],
    analyzer: 'reader',
    codes: ['IST0130', 'IST0131'],
    expected: [
      ...each('IST0130 VirtualService', 'default/duplicate-match', 'foo/sample-foo-cluster01'),
      ...each('IST0131 VirtualService', 'default/almost-duplicate-match', 'default/duplicate-match', 'default/non-method-get'),
      ...each('IST0131 VirtualService', 'default/overlapping-in-single-match', 'default/overlapping-in-two-matches'),
      'IST0131 VirtualService default/overlapping-mathes-with-different-methods',
    ],
    without: {
      findings: [
        'IST0130 VirtualService duplicate-tcp-match',
        'IST0130 VirtualService duplicate-empty-tcp',
        'IST0131 VirtualService almost-duplicate-tcp-match',
        'IST0131 VirtualService duplicate-tcp-match',
        'IST0130 VirtualService none/tls-routing',
        'IST0131 VirtualService none/tls-routing-almostmatch',
        'IST0131 VirtualService none/tls-routing',
      ],
      why: 'rules for TCP and TLS are not obeyed inside a process, and reported as that (INM0011)',
    },
  },
  {
    name: 'authorizationpolicies',
    files: ['authorizationpolicies'],
    analyzer: authorizationScope,
    codes: ['IST0101', 'IST0127'],
    expected: [
      ...each('IST0127 AuthorizationPolicy', 'istio-system/meshwide-httpbin-v1', 'httpbin-empty/httpbin-empty-namespace-wide'),
      ...each('IST0127 AuthorizationPolicy', 'httpbin/httpbin-nopods', 'test-ambient/no-workload'),
      ...each('IST0101 AuthorizationPolicy', 'httpbin/httpbin-bogus-ns', 'httpbin/httpbin-bogus-ns'),
      ...each('IST0101 AuthorizationPolicy', 'httpbin/httpbin-bogus-not-ns', 'httpbin/httpbin-bogus-not-ns'),
    ],
  },
  tls(
    'destinationrule with no cacert, simple at destinationlevel',
    'destinationrule-simple-destination',
    'IST0128 DestinationRule default/db-tls',
  ),
  tls(
    'destinationrule with no cacert, mutual at destinationlevel',
    'destinationrule-mutual-destination',
    'IST0128 DestinationRule default/db-mtls',
  ),
  tls('destinationrule with no cacert, simple at portlevel', 'destinationrule-simple-port', 'IST0129 DestinationRule default/db-tls'),
  tls('destinationrule with no cacert, mutual at portlevel', 'destinationrule-mutual-port', 'IST0129 DestinationRule default/db-mtls'),
  tls(
    'destinationrule with credentialname, simple at destinationlevel, no workloadSelector',
    'destinationrule-simple-destination-credentialname',
    'IST0128 DestinationRule default/db-tls',
  ),
  tls(
    'destinationrule with credentialname, simple at destinationlevel, workloadSelector',
    'destinationrule-simple-destination-credentialname-selector',
  ),
  tls(
    'destinationrule with credentialname, simple at portlevel, no workloadSelector',
    'destinationrule-simple-port-credentialname',
    'IST0129 DestinationRule default/db-tls',
  ),
  tls('destinationrule with credentialname, simple at portlevel, workloadSelector', 'destinationrule-simple-port-credentialname-selector'),
  tls(
    'destinationrule with no cacert, mutual at destinationlevel and simple at port level',
    'destinationrule-compound-simple-mutual',
    'IST0128 DestinationRule default/db-mtls',
    'IST0129 DestinationRule default/db-mtls',
  ),
  tls(
    'destinationrule with no cacert, simple at destinationlevel and mutual at port level',
    'destinationrule-compound-mutual-simple',
    'IST0129 DestinationRule default/db-mtls',
    'IST0128 DestinationRule default/db-mtls',
  ),
  tls('destinationrule with both cacerts', 'destinationrule-with-ca'),
  subsets('DestinationRuleWithFakeHost', 'destinationrule-with-fake-host', 'IST0174 DestinationRule default/fake-host'),
  subsets(
    'DestinationRuleSubsetsNotSelectPods',
    'destinationrule-subsets-not-select-pods',
    'IST0173 DestinationRule default/subsets-not-select-pods',
  ),
  subsets('DestinationRuleSubsetsWithTopologyLabels', 'destinationrule-subsets-with-topology-labels'),
  subsets(
    'DestinationRuleEmptyTopologyLabels',
    'destinationrule-empty-topology-labels',
    'IST0173 DestinationRule default/empty-topology-labels',
  ),
  protocols(
    'ServiceEntry conflicting protocols on same host and port',
    'serviceentry-conflicting-protocol',
    ...each('IST0177 ServiceEntry', 'default/se-http', 'default/se-https'),
  ),
  protocols('ServiceEntry no conflict same protocol', 'serviceentry-no-conflict-protocol'),
  protocols('ServiceEntry no conflict non-overlapping exportTo scopes', 'serviceentry-conflicting-exportto'),
  {
    name: 'Condition Analyzer',
    files: ['condition-analyzer'],
    analyzer: conditions,
    codes: ['IST0171'],
    expected: [
      'IST0171 Service default/negative-condition-svc',
      'IST0171 ServiceEntry default/negative-condition-svcEntry',
      'IST0171 AuthorizationPolicy default/negative-condition-authz',
      'IST0171 Gateway default/negative-condition-gateway',
      'IST0171 HTTPRoute default/negative-condition-httproute',
      'IST0171 GRPCRoute default/negative-condition-grpcroute',
      'IST0171 AuthorizationPolicy default/negative-condition-authz-partially-invalid',
    ],
  },
];
