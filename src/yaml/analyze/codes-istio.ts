// The codes of Istio's analyzers that mean the same inside a process. Numbers, names and severities are Istio's
// (istio/istio pkg/config/analysis/msg/messages.yaml); the words are about calls of this process.
import type { CodeEntry, IstioCode } from './code.ts';

const istio = (name: string): string => `Istio's analyzers, ${name}`;

export const ISTIO_CODES: Readonly<Record<IstioCode, CodeEntry>> = Object.freeze({
  IST0002: {
    severity: 'warning',
    group: 'istio',
    title: 'Deprecated field',
    meaning: 'The field still means something, and a later version of Istio may drop it.',
    fix: 'Write what the message names instead, or remove the field.',
    source: istio('Deprecated'),
  },
  IST0101: {
    severity: 'error',
    group: 'istio',
    title: 'Referenced resource not found',
    meaning:
      'A rule names a host, port, subset, workload or namespace that nothing here brings. Calls that the rule sends to a missing host, port or subset are answered 503 (flag NC), as a sidecar would answer them.',
    fix: 'Correct the name, or add the Service, ServiceEntry, service or subset that it means.',
    source: istio('ReferencedResourceNotFound'),
  },
  IST0106: {
    severity: 'error',
    group: 'istio',
    title: 'Schema validation error',
    meaning:
      'An Istio document has a field that nobody knows, a value of the wrong form, or fields that exclude one another. An API server would refuse it, and so the configuration is not used.',
    fix: 'Correct the field at the place that the message names.',
    source: istio('SchemaValidationError'),
  },
  IST0109: {
    severity: 'error',
    group: 'istio',
    title: 'Conflicting hosts of VirtualServices',
    meaning:
      'Several VirtualServices have rules for the same host. In a mesh the oldest one is used and the others are dropped without a word.',
    fix: 'Put the rules into one VirtualService, or give each its own hosts.',
    source: istio('ConflictingMeshGatewayVirtualServiceHosts'),
  },
  IST0110: {
    severity: 'error',
    group: 'istio',
    title: 'Conflicting workload selectors of Sidecars',
    meaning: 'Several Sidecars select the same workload. Which of them holds is undefined.',
    fix: 'Let one Sidecar select each workload.',
    source: istio('ConflictingSidecarWorkloadSelectors'),
  },
  IST0111: {
    severity: 'error',
    group: 'istio',
    title: 'Several Sidecars without workloadSelector',
    meaning: 'A namespace has more than one Sidecar for all of its workloads. Which of them holds is undefined.',
    fix: 'Keep one Sidecar without workloadSelector in the namespace.',
    source: istio('MultipleSidecarsWithoutWorkloadSelectors'),
  },
  IST0112: {
    severity: 'error',
    group: 'istio',
    title: 'Destination port missing',
    meaning:
      'A destination has several ports and the rule names none, so the port of the call decides, and a call to another port has no destination.',
    fix: 'Add port.number to the destination.',
    source: istio('VirtualServiceDestinationPortSelectorRequired'),
  },
  IST0118: {
    severity: 'info',
    group: 'kubernetes',
    title: 'Port name says no protocol',
    meaning:
      'The name of a Service port begins with no protocol that is known, and appProtocol is absent. A sidecar guesses from the first bytes; inmesh takes HTTP/1.1.',
    fix: 'Name the port http, http2 or grpc, alone or before a dash, or set appProtocol.',
    source: istio('PortNameIsNotUnderNamingConvention'),
  },
  IST0127: {
    severity: 'warning',
    group: 'istio',
    title: 'No workload is selected',
    meaning: 'The policy selects none of the workloads in these documents, so it protects nobody.',
    fix: 'Check the labels of the selector against those of the workloads.',
    source: istio('NoMatchingWorkloadsFound'),
  },
  IST0128: {
    severity: 'warning',
    group: 'istio',
    title: 'TLS without caCertificates',
    meaning:
      'A DestinationRule says SIMPLE or MUTUAL without caCertificates. The certificate of the peer is then checked against the roots of the web, which is wrong for a CA of your own; old versions of Istio checked nothing at all.',
    fix: 'Set caCertificates to the file with the roots of the peer.',
    source: istio('NoServerCertificateVerificationDestinationLevel'),
  },
  IST0129: {
    severity: 'warning',
    group: 'istio',
    title: 'TLS of a port without caCertificates',
    meaning:
      'Settings of a port say SIMPLE or MUTUAL without caCertificates, and those of the whole rule do not hold for a port that has settings of its own. The certificate of the peer is checked against the roots of the web, by old versions of Istio not at all.',
    fix: 'Set caCertificates in the tls settings of the port.',
    source: istio('NoServerCertificateVerificationPortLevel'),
  },
  IST0130: {
    severity: 'warning',
    group: 'istio',
    title: 'Rule is never reached',
    meaning: 'A rule before it takes every call that it is meant for.',
    fix: 'Move the rule up, or remove it.',
    source: istio('VirtualServiceUnreachableRule'),
  },
  IST0131: {
    severity: 'info',
    group: 'istio',
    title: 'Match takes nothing',
    meaning: 'A match stands in a rule before, or is covered by one, so this one takes no call.',
    fix: 'Remove the match, or move the rule up.',
    source: istio('VirtualServiceIneffectiveMatch'),
  },
  IST0133: {
    severity: 'warning',
    group: 'istio',
    title: 'Schema validation warning',
    meaning: 'An Istio document is valid, and a part of it does not do what it seems to do.',
    fix: 'Change what the message names.',
    source: istio('SchemaWarning'),
  },
  IST0150: {
    severity: 'warning',
    group: 'kubernetes',
    title: 'Port name of an ExternalName Service',
    meaning:
      'The port of an ExternalName Service is named tcp, or by no protocol. A sidecar then takes all traffic to that port for its own; inmesh sends HTTP/1.1 to the external name.',
    fix: 'Name the port by its protocol, such as http or https.',
    source: istio('ExternalNameServiceTypeInvalidPortName'),
  },
  IST0157: {
    severity: 'warning',
    group: 'istio',
    title: 'Telemetry without provider',
    meaning:
      'A Telemetry asks for access logs and names no provider. Istio ignores it unless the mesh has a default provider; inmesh has its own log and obeys it.',
    fix: 'Name a provider, such as envoy, if the document goes to a cluster too.',
    source: istio('InvalidTelemetryProvider'),
  },
  IST0159: {
    severity: 'error',
    group: 'istio',
    title: 'Conflicting workload selectors of Telemetry resources',
    meaning: 'Several Telemetry resources select the same workload. Which of them holds is undefined.',
    fix: 'Let one Telemetry select each workload.',
    source: istio('ConflictingTelemetryWorkloadSelectors'),
  },
  IST0160: {
    severity: 'error',
    group: 'istio',
    title: 'Several Telemetry resources without selector',
    meaning: 'A namespace has more than one Telemetry for all of its workloads. Which of them holds is undefined.',
    fix: 'Keep one Telemetry without selector in the namespace.',
    source: istio('MultipleTelemetriesWithoutWorkloadSelectors'),
  },
  IST0171: {
    severity: 'warning',
    group: 'istio',
    title: 'Negative condition in the status',
    meaning:
      'A controller of the cluster this document was taken from did not accept it, in whole or in part. inmesh obeys it, so the process and the cluster differ.',
    fix: 'Correct what the reason of the condition names.',
    source: istio('NegativeConditionStatus'),
  },
  IST0173: {
    severity: 'error',
    group: 'istio',
    title: 'Subset selects nobody',
    meaning: 'No endpoint or workload carries the labels of a subset. Calls that a rule sends there are answered 503 (flag UH).',
    fix: 'Check the labels of the subset against those of the endpoints.',
    source: istio('DestinationRuleSubsetNotSelectPods'),
  },
  IST0174: {
    severity: 'warning',
    group: 'istio',
    title: 'DestinationRule for an unknown host',
    meaning: 'Nothing here has the host of the DestinationRule, so the rule does nothing.',
    fix: 'Correct host, or add the Service, ServiceEntry or service that it means.',
    source: istio('UnknownDestinationRuleHost'),
  },
  IST0177: {
    severity: 'warning',
    group: 'istio',
    title: 'ServiceEntries with different protocols',
    meaning: 'Several ServiceEntries have the same host and port with different protocols. Which of them holds depends on their age.',
    fix: 'Give the port the same protocol everywhere.',
    source: istio('ConflictingServiceEntryProtocol'),
  },
});
