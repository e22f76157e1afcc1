// One service with one rule, written for a mesh, with single policies put into its model: those that only other meshes can say, too.
import { parse } from 'yaml';
import type { RouteConfig, ServiceConfig } from '../../../src/model/config.ts';
import type { MeshInput } from '../../../src/model/input.ts';
import { type ExportTarget, writeConfig } from '../../../src/yaml/export.ts';
import { writtenConfig } from './written.ts';

export interface OnePolicy {
  readonly service?: Partial<ServiceConfig>;
  readonly route?: Partial<RouteConfig>;
}

export interface SaidPolicy {
  /** The `spec` of each document of a kind. */
  specs(kind: string): readonly Readonly<Record<string, unknown>>[];
  /** `verdict field: why`, without what was kept; fields within the service or its rule. */
  readonly losses: readonly string[];
}

const INPUT: MeshInput = {
  services: {
    a: { endpoints: ['10.0.0.1:80'], retries: false, routes: [{ name: 'r', match: { path: { prefix: '/x' } } }] },
    b: { endpoints: ['10.0.0.2:80'] },
  },
};

export async function onePolicy(target: ExportTarget, own: OnePolicy): Promise<SaidPolicy> {
  const written = writtenConfig(INPUT);
  if (written === null) throw new Error('it is right');
  const { a, ...others } = written.config.services as Record<'a', ServiceConfig>;
  const [first, ...rest] = a.routes;
  const service: ServiceConfig = { ...a, ...own.service, routes: [{ ...(first as RouteConfig), ...own.route }, ...rest] };
  const { documents, losses } = await writeConfig(
    { ...written, config: { ...written.config, services: { a: service, ...others } } },
    target,
  );
  return {
    specs: (kind) =>
      documents
        .filter((one) => one.kind === kind && one.name.startsWith('a'))
        .map(({ text }) => (parse(text) as { readonly spec?: Readonly<Record<string, unknown>> }).spec ?? {}),
    losses: losses
      .filter(({ verdict }) => verdict !== 'kept')
      .map(({ verdict, field, why }) => `${verdict} ${field.replace(/^services\.a\.(routes\[r\]\.?)?/, '')}: ${why}`),
  };
}
