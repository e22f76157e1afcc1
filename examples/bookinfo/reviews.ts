// Reviews of a book, in three versions. Each review carries stars, which the ratings service knows.
import { serve, work } from './child.ts';

const version = process.env['VERSION'] ?? 'v1';

await serve(async ({ wires, userAgent }) => {
  const ratings = await wires.get('ratings', '/ratings/0', userAgent);
  await work(8, 3);
  if (ratings.status !== 200) return { status: 502, body: { version, error: 'no ratings' } };
  return { body: { version, reviews: ['An extremely entertaining play.', 'Absolutely fun.'], ratings: ratings.body } };
});
