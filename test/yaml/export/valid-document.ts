// The schemas that the meshes publish, as `@kubernetes-models` carries them: what is wrong with a document.
import type { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute';
import type { VirtualService } from '@kubernetes-models/istio/networking.istio.io/v1/VirtualService';
import { parseAllDocuments } from 'yaml';

interface Document {
  /** The concise form has none. */
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

type Model = new (document: Document) => Pick<HTTPRoute | VirtualService, 'validate'>;

const models = new Map<string, Promise<Model | null>>();

/** null: the package has no such kind. */
function modelOf({ apiVersion = '', kind }: Document): Promise<Model | null> {
  const of = apiVersion.includes('istio.io/') ? 'istio' : apiVersion.startsWith('gateway.networking.') ? 'gateway-api' : null;
  if (of === null) return Promise.resolve(null);
  const path = `@kubernetes-models/${of}/${apiVersion}/${kind}`;
  const known = models.get(path);
  if (known !== undefined) return known;
  const found = import(path).then(
    (module: Readonly<Record<string, Model>>) => module[kind] ?? null,
    () => null,
  );
  models.set(path, found);
  return found;
}

export interface Validation {
  /** How many documents have a schema. */
  readonly checked: number;
  /** `VirtualService reviews: /spec/http/0 …`. */
  readonly faults: readonly string[];
}

export async function validateText(text: string): Promise<Validation> {
  let checked = 0;
  const faults: string[] = [];
  for (const parsed of parseAllDocuments(text)) {
    const document = parsed.toJS() as Document | null;
    const model = document === null ? null : await modelOf(document);
    if (document === null || model === null) continue;
    checked++;
    try {
      new model(document).validate();
    } catch (error) {
      faults.push(`${document.kind} ${document.metadata.name}: ${(error as Error).message}`);
    }
  }
  return { checked, faults };
}
