// Where the HTTP rules of a VirtualService lead, as it is written: destinations, and mirrors.
import type { ConfigPath } from '../../model/issue.ts';
import type { Resource } from '../resource.ts';
import type { World } from '../world.ts';
import { listOf, mappingOf, numberOf, textOf, textsOf, within } from './loose.ts';

export interface WrittenTarget {
  readonly host: string;
  readonly subset: string;
  readonly port: number | undefined;
  /** Of the mapping that names the host. */
  readonly path: ConfigPath;
  readonly isMirror: boolean;
}

export function virtualServicesOf(world: World): readonly Resource[] {
  return world.of('networking.istio.io', 'VirtualService');
}

/** Whether it is for those who call, and not for gateways alone. */
export function isForCallers({ spec }: Resource): boolean {
  const gateways = textsOf(spec.gateways);
  return gateways.length === 0 || gateways.includes('mesh');
}

/** Rules for TCP and TLS do not concern calls. */
export function targetsOf({ spec }: Resource): WrittenTarget[] {
  return listOf(spec.http).flatMap((rule, i) => {
    const { route, mirror, mirrors } = mappingOf(rule);
    const path: ConfigPath = ['spec', 'http', i];
    return [
      ...listOf(route).map((one, j) => targetOf(mappingOf(one).destination, [...path, 'route', j, 'destination'], false)),
      ...(mirror === undefined ? [] : [targetOf(mirror, [...path, 'mirror'], true)]),
      ...listOf(mirrors).map((one, j) => targetOf(mappingOf(one).destination, [...path, 'mirrors', j, 'destination'], true)),
    ];
  });
}

function targetOf(value: unknown, path: ConfigPath, isMirror: boolean): WrittenTarget {
  const { host, subset } = mappingOf(value);
  return { host: textOf(host), subset: textOf(subset), port: numberOf(within(value, 'port').number), path, isMirror };
}
