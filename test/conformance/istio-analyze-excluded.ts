// The cases of Istio's analyzer tests that have no meaning inside a process, by the reason. Names are Istio's.

export interface Excluded {
  readonly why: string;
  readonly codes: readonly string[];
  /** Name of the case, and its files without `.yaml`; some hold only the configuration of a mesh. */
  readonly cases: Readonly<Record<string, readonly string[]>>;
}

export const EXCLUDED: readonly Excluded[] = [
  {
    why: 'Gateways and their listeners, certificates and ports: inmesh is the caller, not the gateway',
    codes: ['IST0101', 'IST0132', 'IST0138', 'IST0140', 'IST0145', 'IST0149', 'IST0161', 'IST0162', 'IST0165', 'IST0166'],
    cases: {
      gatewayNoWorkload: ['gateway-no-workload'],
      gatewayBadPort: ['gateway-no-port'],
      gatewayCorrectPort: ['gateway-correct-port'],
      gatewayCustomIngressGateway: ['gateway-custom-ingressgateway'],
      gatewayCustomIngressGatewayBadPort: ['gateway-custom-ingressgateway-badport'],
      gatewayCustomIngressGatewayBadPortWithoutTarget: ['gateway-custom-ingressgateway-badport-notarget'],
      gatewayCustomIngressGatewayTranslation: ['gateway-custom-ingressgateway-translation'],
      gatewayServiceMatchPod: ['gateway-custom-ingressgateway-svcselector'],
      gatewaySecret: ['gateway-secrets'],
      gatewaySecretValidations: ['gateway-secrets-validation'],
      'conflicting gateways detect': ['conflicting-gateways'],
      'gateways with different port are non-conflicting': ['gateway-different-port'],
      'conflicting gateways with multiple port declarations': ['conflicting-gateways-multiple-ports'],
      'conflicting gateways detect by sub selector': ['conflicting-gateways-subSelector'],
      'conflicting gateways detect: no port': ['conflicting-gateways-invalid-port'],
      'Analyze conflicting gateway with list type': ['analyze-list-type'],
      virtualServiceGateways: ['virtualservice_gateways'],
      virtualServiceKubernetesGateways: ['virtualservice_kubernetes_gateways'],
      virtualServiceJWTClaimRoute: ['virtualservice_jwtclaimroute'],
      virtualServiceInternalGatewayRef: ['virtualservice_internal_gateway_ref'],
      'host defined in virtualservice not found in the gateway': ['virtualservice_host_not_found_gateway'],
      'host defined in virtualservice not found in the gateway(beta version)': ['virtualservice_host_not_found_gateway_beta'],
      'host defined in virtualservice not found in the gateway with ns': ['virtualservice_host_not_found_gateway_with_ns_prefix'],
      'host defined in virtualservice not found in the gateway with ns(beta version)': [
        'virtualservice_host_not_found_gateway_with_ns_prefix_beta',
      ],
      'certificate duplication in Gateway': ['gateway-duplicate-certificate'],
      'Route Rule no effect on Ingress': ['virtualservice_route_rule_no_effects_ingress'],
      KubernetesGatewaySelector: ['k8sgateway-selector'],
    },
  },
  {
    why: 'EnvoyFilter changes the configuration of Envoy, and there is none: refused by name (INM0011)',
    codes: ['IST0151', 'IST0152', 'IST0153', 'IST0154', 'IST0155'],
    cases: {
      EnvoyFilterUsesRelativeOperation: ['relative-envoy-filter-operation'],
      EnvoyFilterFilterChainMatch: ['envoy-filter-filterchain'],
      EnvoyFilterUsesAbsoluteOperation: ['absolute-envoy-filter-operation'],
      EnvoyFilterUsesReplaceOperation: ['envoy-filter-replace-operation'],
      EnvoyFilterUsesAddOperation: ['envoy-filter-add-operation'],
      EnvoyFilterUsesRemoveOperation: ['envoy-filter-remove-operation'],
    },
  },
  {
    why: 'Injection of sidecars, and annotations that configure them: there is no sidecar',
    codes: [
      'IST0102',
      'IST0103',
      'IST0107',
      'IST0108',
      'IST0123',
      'IST0125',
      'IST0135',
      'IST0136',
      'IST0146',
      'IST0147',
      'IST0148',
      'IST0158',
    ],
    cases: {
      misannoted: ['misannotated'],
      alpha: ['misannotated'],
      istioInjection: ['injection'],
      istioInjectionEnableNamespacesByDefault: ['injection'],
      istioInjectionProxyImageMismatch: ['injection-with-mismatched-sidecar'],
      injectionImageDistroless: ['injection-image-distroless'],
      injectionImageDistrolessNoMeshConfig: ['injection-image-distroless-no-meshconfig'],
      istioInjectionProxyImageMismatchAbsolute: ['injection-with-mismatched-sidecar', 'sidecar-injector-configmap-absolute-override'],
      istioInjectionProxyImageMismatchWithRevisionCanary: [
        'injection-with-mismatched-sidecar',
        'sidecar-injector-configmap-absolute-override',
        'sidecar-injector-configmap-with-revision-canary',
      ],
      'Detect `image: auto` in non-injected pods': ['image-auto'],
    },
  },
  {
    why: 'The control plane, its webhooks and its installation: there is none',
    codes: ['IST0126', 'IST0139', 'IST0163', 'IST0164', 'IST0175', 'IST0176'],
    cases: {
      'externalControlPlaneMissingWebhooks: default namespace': ['externalcontrolplane-missing-urls'],
      'externalControlPlaneMissingWebhooks: custom namespace': ['externalcontrolplane-missing-urls-custom-ns'],
      externalControlPlaneUsingIpAddresses: ['externalcontrolplane-using-ip-addr'],
      'externalControlPlaneValidWebhooks: default namespace': ['externalcontrolplane-valid-urls'],
      'externalControlPlaneValidWebhooks: custom namespace': ['externalcontrolplane-valid-urls-custom-ns'],
      'unknown service registry in mesh networks': ['multicluster-unknown-serviceregistry'],
      webook: ['webhook'],
      blockedCIDRsMissing: ['blocked-cidrs-missing'],
      blockedCIDRsConfigured: ['blocked-cidrs-configured'],
      blockedCIDRsNoRA: ['blocked-cidrs-no-ra'],
      GatewayAPICRDVersionBelowMinimum: ['gateway-api-crd-version-old'],
    },
  },
  {
    why: 'User ids and ports of Pods, which matter to the redirection of sockets',
    codes: ['IST0116', 'IST0137', 'IST0144'],
    cases: {
      serviceMultipleDeployments: ['deployment-multi-service'],
      deploymentMultiServicesInDifferentNamespace: ['deployment-multi-service-different-ns'],
      serviceWithNoSelector: ['deployment-service-no-selector'],
      'Application Pod SecurityContext with UID 1337': ['pod-sec-uid'],
      'Application Container SecurityContext with UID 1337': ['pod-con-sec-uid'],
      'Deployment Pod SecurityContext with UID 1337': ['deployment-pod-sec-uid'],
      'Deployment Container SecurityContext with UID 1337': ['deployment-con-sec-uid'],
    },
  },
  {
    why: 'Virtual addresses of ServiceEntries, by which a proxy tells TCP connections apart: inmesh goes by names',
    codes: ['IST0134'],
    cases: {
      'missing Addresses and Protocol in Service Entry': ['serviceentry-missing-addresses-protocol'],
      'missing Addresses and Protocol in Service Entry with ISTIO_META_DNS_AUTO_ALLOCATE enabled': [
        'serviceentry-missing-addresses-protocol',
        'serviceentry-missing-addresses-protocol-mesh-cfg',
      ],
      'ServiceEntry Addresses Required Lowercase Protocol': ['serviceentry-address-required-lowercase'],
      'ServiceEntry Addresses Required Uppercase Protocol': ['serviceentry-address-required-uppercase'],
      'ServiceEntry Addresses Allocated': ['serviceentry-address-allocated', 'serviceentry-address-allocated-mesh-cfg'],
    },
  },
  {
    why: 'Providers of the configuration of a mesh, which no document here brings',
    codes: ['IST0002'],
    cases: { 'Telemetry Lightstep': ['telemetry-lightstep', 'telemetry-lightstep-meshconfig'] },
  },
];
