// Documents of three meshes in one folder, each obeyed by its own rules.
import { createMesh } from 'inmesh';
import { text, tinyServer } from '../tiny-server.ts';

const v1 = await tinyServer(text('v1'));
const v2 = await tinyServer(text('v2'));
process.env.V1_PORT = v1.address.split(':')[1] ?? '';
process.env.V2_PORT = v2.address.split(':')[1] ?? '';

// #region mesh
const mesh = await createMesh({ config: 'examples/meshes' });

// A prefix of Istio is one of the text; one of the Gateway API is one of path segments.
for (const url of ['http://reviews/foobar', 'http://ratings/foobar', 'http://ratings/foo/bar', 'http://details/']) {
  const answer = await mesh.fetch(url);
  console.log(url, await answer.text());
}
// #endregion

await mesh.close();
v1.close();
v2.close();
