// Stars. The last service of the chain.
import { serve, work } from './child.ts';

await serve(async () => {
  await work(4, 2);
  return { body: { stars: [5, 4] } };
});
