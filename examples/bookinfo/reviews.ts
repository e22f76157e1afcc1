// Reviews of a book, in three versions. Each review carries stars, which the ratings service knows.
import { serve, work } from './child.ts';

const version = process.env['VERSION'] ?? 'v1';

await serve(async ({ wires }) => {
  const { average, stars } = await wires.ratings();
  await work(8, 3);
  return { body: { version, reviews: ['An extremely entertaining play.', 'Absolutely fun.'], stars, average } };
});
