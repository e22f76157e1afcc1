// What is compared beside sidecars: the bare client, inmesh at one end and at both, and one or two hops of each proxy. Names
// are those of the tables.

export const PROXY_KINDS = ['nginx', 'haproxy', 'envoy'] as const;
export type ProxyKind = (typeof PROXY_KINDS)[number];

export const PROXY_TITLES: Readonly<Record<ProxyKind, string>> = { nginx: 'nginx', haproxy: 'HAProxy', envoy: 'Envoy' };

export interface Row {
  readonly name: string;
  /** Whether calls go through a mesh in the client. */
  readonly isMeshed: boolean;
  /** Which of the two servers answers: that of node:http, or that of inmesh. */
  readonly server: 'bare' | 'mesh';
  readonly proxy: ProxyKind | null;
  readonly hops: 0 | 1 | 2;
  /** mTLS: between the two proxies, or from client to server where there is none. */
  readonly isSecure: boolean;
}

/** What is added, is added to this. */
export const BARE = 'undici.request';
export const MESH = 'inmesh in the client';
export const MESH_BOTH = 'inmesh at both ends';
export const MESH_SECURE = 'inmesh at both ends, mTLS';

export function securePair(kind: ProxyKind): string {
  return `two ${PROXY_TITLES[kind]}, mTLS between`;
}

function meshRow(name: string, isMeshed: boolean, server: Row['server'], isSecure: boolean): Row {
  return { name, isMeshed, server, proxy: null, hops: 0, isSecure };
}

function proxyRows(proxy: ProxyKind): Row[] {
  const rest = { isMeshed: false, server: 'bare', proxy } as const;
  return [
    { name: `one ${PROXY_TITLES[proxy]}`, ...rest, hops: 1, isSecure: false },
    { name: `two ${PROXY_TITLES[proxy]}`, ...rest, hops: 2, isSecure: false },
    { name: securePair(proxy), ...rest, hops: 2, isSecure: true },
  ];
}

export const ROWS: readonly Row[] = [
  meshRow(BARE, false, 'bare', false),
  meshRow(MESH, true, 'bare', false),
  meshRow(MESH_BOTH, true, 'mesh', false),
  meshRow(MESH_SECURE, true, 'mesh', true),
  ...PROXY_KINDS.flatMap(proxyRows),
];

/** How calls are made. */
export interface Load {
  readonly name: string;
  /** Calls under way at any time; 0: an open loop, calls begin when they are due, whatever the others do. */
  readonly concurrency: number;
  /** Calls a second of an open loop, on average. */
  readonly perSecond: number;
}

export const ONE: Load = { name: 'one call at a time', concurrency: 1, perSecond: 0 };
export const TEN: Load = { name: '10 calls at once', concurrency: 10, perSecond: 0 };
export const OPEN: Load = { name: '1,000 calls a second, whatever comes back', concurrency: 0, perSecond: 1_000 };
export const LOADS: readonly Load[] = [ONE, TEN, OPEN];
