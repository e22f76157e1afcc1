// The schema of a whole resource: what every document of Kubernetes has, and the parts that its kind brings.
import type { Schema } from '../model/schema-scalar.ts';
import { anything, field, labels, object, text } from '../model/schema-scalar.ts';

/** `parts` are the keys beside apiVersion, kind and metadata: mostly `spec`. */
export function resourceSchema(parts: Record<string, Schema>): Schema {
  return object({
    apiVersion: text(),
    kind: text(),
    metadata: field(METADATA, 'Name and labels.'),
    status: field(anything, 'Written by controllers.'),
    ...parts,
  });
}

/** What the API server and controllers write is read over. */
const METADATA: Schema = object({
  name: field(text('a name'), 'Name.'),
  generateName: field(anything, 'Prefix of a name.'),
  namespace: field(text('a namespace'), 'Namespace.'),
  labels: field(labels, 'Labels.'),
  annotations: field(labels, 'Annotations.'),
  creationTimestamp: field(anything, 'When it was made.'),
  deletionTimestamp: field(anything, 'When it was deleted.'),
  finalizers: field(anything, 'Finalizers.'),
  generation: field(anything, 'Generation.'),
  managedFields: field(anything, 'Field managers.'),
  ownerReferences: field(anything, 'Owners.'),
  resourceVersion: field(anything, 'Version of the API server.'),
  selfLink: field(anything, 'Link.'),
  uid: field(anything, 'Identity.'),
});
