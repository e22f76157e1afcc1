// IST0177: ServiceEntries that give one port of one host different protocols, for callers in the same namespace. Source:
// istio/istio pkg/config/analysis/analyzers/serviceentry/conflictingserviceentries.go.
import type { Resource } from '../resource.ts';
import { fullName } from '../resource.ts';
import type { Analyzer } from './analyzer.ts';
import { enumerate } from './findings.ts';
import { EVERYWHERE, scopesOf } from './host-index.ts';
import { listOf, mappingOf, shownOf, textOf, textsOf } from './loose.ts';

interface Port {
  readonly scope: string;
  readonly name: string;
  readonly protocols: Set<string>;
  readonly entries: Set<Resource>;
}

const NAMED_MAX = 5;

export const entryProtocols: Analyzer = ({ world }, findings) => {
  const ports = new Map<string, Port>();
  for (const entry of world.of('networking.istio.io', 'ServiceEntry')) {
    for (const scope of scopesOf(textsOf(entry.spec.exportTo), entry.namespace)) {
      for (const host of textsOf(entry.spec.hosts)) {
        for (const one of listOf(entry.spec.ports)) {
          const { number, protocol } = mappingOf(one);
          const name = `${host.toLowerCase()}:${shownOf(number)}`;
          const key = `${scope} ${name}`;
          const port = ports.get(key) ?? { scope, name, protocols: new Set(), entries: new Set() };
          ports.set(key, port);
          port.protocols.add(textOf(protocol).toUpperCase());
          port.entries.add(entry);
        }
      }
    }
  }
  const reported = new Set<Resource>();
  for (const { scope, name, ...own } of ports.values()) {
    const shown = scope === EVERYWHERE ? undefined : ports.get(`${EVERYWHERE} ${name}`);
    const protocols = new Set([...own.protocols, ...(shown?.protocols ?? [])]);
    if (protocols.size < 2) continue;
    const involved = [...new Set([...own.entries, ...(shown?.entries ?? [])])];
    const said = enumerate([...protocols].map((protocol) => (protocol === '' ? 'none' : protocol)).sort());
    const message = `${name} has the protocols ${said} in ${enumerate(involved.slice(0, NAMED_MAX).map(fullName))}`;
    for (const entry of involved) {
      if (reported.has(entry)) continue;
      reported.add(entry);
      findings.in('IST0177', entry, ['metadata', 'name'], message, { involved });
    }
  }
};
