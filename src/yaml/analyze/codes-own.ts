// Our own codes: what no analyzer of a mesh says, or says with another meaning.
import type { CodeEntry, OwnCode } from './code.ts';

export const OWN_CODES: Readonly<Record<OwnCode, CodeEntry>> = Object.freeze({
  INM0010: {
    severity: 'error',
    group: 'configuration',
    title: 'Unknown kind of document',
    meaning:
      'A document has a kind or apiVersion that inmesh does not read. It might matter to calls, so it is not passed over in silence.',
    fix: 'Correct kind or apiVersion, or keep the document out of what inmesh loads.',
  },
  INM0011: {
    severity: 'error',
    group: 'configuration',
    title: 'Cannot be obeyed inside a process',
    meaning: 'The document, or a part of it, asks for what only a proxy or the kernel can do.',
    fix: 'Keep it out of what inmesh loads, or use --lenient where ignoring it is safe.',
  },
  INM0012: {
    severity: 'error',
    group: 'configuration',
    title: 'Decided twice',
    meaning: 'Two documents decide the same field of the same service. A mesh would take one of them without a word.',
    fix: 'Keep one, or use --lenient to do what the mesh does.',
  },
  INM0013: {
    severity: 'warning',
    group: 'configuration',
    title: 'Attribute that nobody sets',
    meaning:
      'A condition of a policy looks at an attribute that filters of Envoy set. There is no Envoy, so the attribute is always missing.',
    fix: 'Use an attribute that requests and certificates bring.',
  },
  INM0014: {
    severity: 'warning',
    group: 'configuration',
    title: 'Selector that nobody looks at',
    meaning: 'A policy of the root namespace is for the whole mesh, and Istio looks at no selector there, so the policy does nothing.',
    fix: 'Move the policy to the namespace of the workload.',
  },
  INM0015: {
    severity: 'warning',
    group: 'configuration',
    title: 'Weight of an odd form',
    meaning:
      'A weight is written as a quantity, such as 90m, in a version of TrafficSplit that takes whole numbers. It is read as thousandths, and shares come out as they seem to be meant.',
    fix: 'Write whole numbers.',
  },
  INM0016: {
    severity: 'warning',
    group: 'configuration',
    title: 'Backend without the port of the call',
    meaning: 'A backend of a TrafficSplit does not have the port on which its root service is called, so it is left out of the split.',
    fix: 'Give the backend the port, or take it out of the split.',
  },
  INM0017: {
    severity: 'info',
    group: 'configuration',
    title: 'Obeyed in a way of our own',
    meaning: 'A field is obeyed, and not to the letter: what a proxy does with it differs in a detail, which the message names.',
    fix: 'Nothing, if the difference does not matter.',
  },
  INM0020: {
    severity: 'info',
    group: 'configuration',
    title: 'Kept and not obeyed',
    meaning: 'A field concerns somebody else than a process that calls. It is read, checked and written back, and changes no call.',
    fix: 'Nothing, or remove the field.',
  },
  INM0021: {
    severity: 'info',
    group: 'configuration',
    title: 'For gateways only',
    meaning: 'A VirtualService names gateways and not mesh. Sidecars pass it over, and so does inmesh.',
    fix: 'Add mesh to gateways if calls of processes are meant.',
  },
  INM0022: {
    severity: 'warning',
    group: 'configuration',
    title: 'Labels of this process are unknown',
    meaning:
      'A match is for callers with certain labels, and the configuration does not say which this process has, so the match never holds.',
    fix: 'Set self.labels in the concise form.',
  },
  INM0023: {
    severity: 'warning',
    group: 'configuration',
    title: 'Endpoint without a port',
    meaning: 'An endpoint of a ServiceEntry has no port, and the ServiceEntry names none. The endpoint is left out.',
    fix: 'Add ports to the ServiceEntry.',
  },
  INM0101: {
    severity: 'warning',
    group: 'resilience',
    title: 'Retries replay calls that change something',
    meaning:
      'Calls of any method, POST included, are repeated after failures that leave open whether the server has acted. An order may be placed twice.',
    fix: 'Retry only connect-failure, refused-stream and reset-before-request, split the rule by method, or make the server accept an Idempotency-Key.',
    fine: 'retries replay no call that changes something',
  },
  INM0102: {
    severity: 'warning',
    group: 'resilience',
    title: 'Retries without a budget',
    meaning:
      'Nothing but their number limits retries. While everything fails each call becomes A attempts; when the load u of the service, as a share of its capacity, times A is above 1, the overload feeds itself and outlasts its cause.',
    fix: 'Add retryBudget to the DestinationRule or the service, or retry less.',
    fine: 'every retry is paid from a budget',
  },
  INM0103: {
    severity: 'info',
    group: 'resilience',
    title: 'Retries of several services multiply',
    meaning:
      'Several services are retried without a budget. Along a chain of calls through them every level repeats what the level above it repeats, so the attempts at the last one are the product.',
    fix: 'Retry at one level only, or give every level a budget.',
    fine: 'retries do not multiply along a chain of calls',
  },
  INM0104: {
    severity: 'warning',
    group: 'resilience',
    title: 'Time of one attempt is not below that of the call',
    meaning:
      'The perTryTimeout is as long as the timeout of the whole call, or longer. The call is over before the first attempt is, so a slow attempt is never repeated.',
    fix: 'Lower perTryTimeout, or raise timeout.',
    fine: 'every attempt ends before its call does',
  },
  INM0105: {
    severity: 'warning',
    group: 'resilience',
    title: 'Outlier detection that ejects nobody',
    meaning:
      'Envoy ejects an endpoint only if the share that is then out stays within maxEjectionPercent. With the default of 10 % nobody is ever ejected from fewer than 10 endpoints.',
    fix: 'Set maxEjectionPercent to 100 divided by the number of endpoints, or more.',
    fine: 'outlier detection, where it is on, can eject somebody',
  },
  INM0106: {
    severity: 'info',
    group: 'resilience',
    title: 'No timeout',
    meaning:
      'Nothing bounds the time of a call. Istio and Gateway API have no timeout unless a rule says so; a server that hangs holds its callers for ever.',
    fix: 'Set timeout, or timeouts.request, on the rule.',
    fine: 'every call has a timeout',
  },
  INM0107: {
    severity: 'warning',
    group: 'resilience',
    title: 'Hedges of calls that change something',
    meaning:
      'The rule says idempotent and hedges, and its match lets other methods than GET in: two POSTs may be under way at once, and both may be carried out.',
    fix: 'Match on the methods that may run twice at once, or take hedging away.',
    fine: 'only calls that change nothing are hedged',
  },
  INM0108: {
    severity: 'warning',
    group: 'resilience',
    title: 'Hashing by the source address alone',
    meaning:
      'A sidecar sees one source address for each workload. A process that calls has one address, so all calls of its own go to a single endpoint; only those made while it serves a caller are spread, by the address of that caller.',
    fix: 'Hash by a header, a cookie or a query parameter.',
    fine: 'no hash sends everything to one endpoint',
  },
  INM0201: {
    severity: 'info',
    group: 'routing',
    title: 'Weight 0 left over',
    meaning:
      'A destination has weight 0. Among others it is never drawn; alone it takes every call with Istio, and with Gateway API every call is answered 500. It is mostly left over from a canary.',
    fix: 'Remove the destination, or its weight when it is the only one.',
    fine: 'every destination has a share',
  },
  INM0202: {
    severity: 'warning',
    group: 'routing',
    title: 'Route is never reached',
    meaning: 'A route before it takes every call that it is meant for. For VirtualServices the code is IST0130.',
    fix: 'Move the route up, or remove it.',
    fine: 'every route can be reached',
  },
  INM0203: {
    severity: 'warning',
    group: 'routing',
    title: 'Wildcard host that nobody answers for',
    meaning:
      'A host such as *.example.com has no address of its own, and no endpoints are given. A proxy sends such calls to the address that the application has looked up; a process must be told whom to ask.',
    fix: 'Give endpoints, list the single hosts, or use resolution: NONE to let the calls pass.',
    fine: 'every wildcard host has somebody who answers',
  },
  INM0204: {
    severity: 'warning',
    group: 'routing',
    title: 'Destination without endpoints',
    meaning:
      'A rule sends calls to a service that has no endpoint and no name to look up. They are refused with no_endpoint (503, flag UH).',
    fix: 'Give the service endpoints, or take it out of the rule.',
    fine: 'every destination has endpoints',
  },
  INM0205: {
    severity: 'error',
    group: 'routing',
    title: 'Destination not found',
    meaning:
      'A rule names a host, port or subset that nothing here brings. Its share of the calls is answered by the mesh itself: 500 with Gateway API, 503 elsewhere. For VirtualServices the code is IST0101.',
    fix: 'Correct the name, or add the Service or service that it means.',
    fine: 'every destination of a rule is known',
  },
  INM0301: {
    severity: 'warning',
    group: 'security',
    title: 'Plain text although there is an identity',
    meaning:
      'The process has a certificate, and calls to this service leave it without TLS: nobody is sure who the other is, and everybody on the way can read along.',
    fix: 'Set tls: mutual, or ISTIO_MUTUAL in the DestinationRule.',
    fine: 'with a certificate, nothing is called in plain text',
  },
  INM0302: {
    severity: 'warning',
    group: 'security',
    title: 'Identity missing',
    meaning: 'A rule asks for mutual TLS and the process has no certificate. Calls, or callers, are refused.',
    fix: 'Add identity with cert, key and ca at the top of the concise form.',
    fine: 'mutual TLS, where it is on, has the identity that it needs',
  },
  INM0303: {
    severity: 'warning',
    group: 'security',
    title: 'Certificate of the peer is not verified',
    meaning: 'Verification is switched off (insecureSkipVerify). Whoever stands in the way can answer in place of the service.',
    fix: 'Remove insecureSkipVerify, and set caCertificates to the roots of the peer.',
    fine: 'every peer of TLS is verified',
  },
  INM0304: {
    severity: 'info',
    group: 'security',
    title: 'Name of the peer is not verified',
    meaning:
      'Any certificate of the CA will do, because nothing says which names the service may show. In a cluster the mesh knows its service accounts; here nobody does.',
    fix: 'Set subjectAltNames to the identity of the service.',
    fine: 'every peer of TLS must show its own name',
  },
  INM0305: {
    severity: 'error',
    group: 'security',
    title: 'Identity that cannot be used',
    meaning:
      'A file of the identity is missing, holds garbage, does not fit the others, or is over. A mesh does not start with it, or refuses the peers that it is about.',
    fix: 'See that whatever writes the files is running, and that all of them are of one issue.',
  },
  INM0306: {
    severity: 'warning',
    group: 'security',
    title: 'Identity that is about to end',
    meaning:
      'A certificate, a root or a list of revoked certificates ends soon, or vouches for nobody any more. Once it is over, calls over mutual TLS fail.',
    fix: 'Renew it, or see that something does.',
  },
});
