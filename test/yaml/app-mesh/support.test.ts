import { describe, expect, it } from 'vitest';
import { appMeshReader } from '../../../src/yaml/app-mesh/reader.ts';
import { APP_MESH_SUPPORT } from '../../../src/yaml/app-mesh/support.ts';
import { fieldsOf } from '../schema-fields.ts';
import { supportGaps } from '../support-gaps.ts';

const controller = appMeshReader.kinds.filter(({ group }) => group === 'appmesh.k8s.aws');
const cli = appMeshReader.kinds.filter(({ group }) => group === 'appmesh.aws');

/** Under what the CLI puts the fields of a document. */
const KEYS: Readonly<Record<string, string>> = {
  Route: 'route',
  RouteSpec: '',
  VirtualNode: 'virtualNode',
  VirtualRouter: 'virtualRouter',
  VirtualService: 'virtualService',
};

describe('the support table of App Mesh', () => {
  it.each(controller.map(({ kind, schema }) => ({ kind, schema })))('$kind: every field, and no other', ({ kind, schema }) => {
    expect(supportGaps(kind, schema, APP_MESH_SUPPORT)).toEqual([]);
  });

  it.each(cli.map(({ kind, schema }) => ({ kind, schema })))('$kind of the CLI has no field of its own', ({ kind, schema }) => {
    const isRoute = kind.startsWith('Route');
    const twin = controller.find((one) => one.kind === (isRoute ? 'VirtualRouter' : kind));
    const known = new Set(fieldsOf(twin?.schema ?? schema));
    const key = KEYS[kind] as string;
    const own = fieldsOf(schema)
      .map((field) => (key !== '' && field.startsWith(`${key}.`) ? field.slice(key.length + 1) : field))
      .filter((field) => field.startsWith('spec.') || kind === 'RouteSpec')
      .map((field) => (isRoute ? `spec.routes[].${field.replace(/^spec\./, '')}` : field));
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter((field) => !known.has(field))).toEqual([]);
  });
});
