// Cases that apply to a client and do not hold yet, with the reason. They are played all the same: one that begins to hold
// makes the test ask for its entry to be taken out.

/** By test and index of the case. */
export const KNOWN: Readonly<Record<string, string>> = Object.freeze({
  'MeshGRPCRouteRequestHeaderModifier 1':
    'a repeated header leaves as one over HTTP/2, joined by ", " (undici); it means the same (RFC 9110 §5.3), the suite compares the text',
  'MeshGRPCRouteRequestHeaderModifier 3':
    'a repeated header leaves as one over HTTP/2, joined by ", " (undici); it means the same (RFC 9110 §5.3), the suite compares the text',
});
