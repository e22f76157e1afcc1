// Changes of headers in Istio's words. Values go through Envoy's formatter there, so a percent sign is doubled.
import type { HeaderOperations } from '../../model/route.ts';
import type { LossScope } from '../losses.ts';
import { headerTextFault } from './header-text.ts';
import type { HeaderOperationsSpec, HeadersSpec } from './virtual-service-spec.ts';

interface Changes {
  readonly requestHeaders?: HeaderOperations;
  readonly responseHeaders?: HeaderOperations;
}

/** undefined: nothing is changed. `key`: of the field, for the report. */
export function writeHeaders(changes: Changes, key: string, to: string, report: LossScope): HeadersSpec | undefined {
  const sides = [
    ['request', changes.requestHeaders],
    ['response', changes.responseHeaders],
  ] as const;
  const said: Record<string, HeaderOperationsSpec> = {};
  for (const [side, operations] of sides) {
    if (operations === undefined) continue;
    const spec = writeOperations(operations, `${key}.${side}`, to, report);
    if (Object.keys(spec).length > 0) said[side] = spec;
  }
  return Object.keys(said).length === 0 ? undefined : said;
}

function writeOperations(operations: HeaderOperations, key: string, to: string, report: LossScope): HeaderOperationsSpec {
  const { set, add, remove, append = [], formatted } = operations;
  const values = (of: Readonly<Record<string, string>>, kind: string): Record<string, string> => {
    const said: Record<string, string> = {};
    for (const [name, value] of Object.entries(of)) {
      const text = formatted === true ? value : value.replaceAll('%', '%%');
      const fault = headerTextFault(text);
      if (fault === null) said[name] = text;
      else report.lost(`${key}.${kind}.${name}`, value, `Istio does not take the value: ${fault}`);
    }
    return said;
  };
  const more = append.filter(([name]) => !Object.hasOwn(add, name));
  if (more.length < append.length)
    report.lost(
      `${key}.append`,
      append.map(([name]) => name),
      'Istio adds a header once',
    );
  const [setting, adding] = [values(set, 'set'), values({ ...add, ...Object.fromEntries(more) }, 'add')];
  report.kept(key, { set: Object.keys(setting), add: Object.keys(adding), remove: [...remove] }, `${to}: ${key}`);
  return {
    ...(Object.keys(setting).length === 0 ? {} : { set: setting }),
    ...(Object.keys(adding).length === 0 ? {} : { add: adding }),
    ...(remove.length === 0 ? {} : { remove: [...remove] }),
  };
}
