// The page that users ask for: details and reviews of a book, asked for at the same time. A page without its reviews
// or details is a lost call.
import { serve } from './child.ts';

await serve(async ({ wires, userAgent }) => {
  const [details, reviews] = await Promise.all([
    wires.get('details', '/details/0', userAgent),
    wires.get('reviews', '/reviews/0', userAgent),
  ]);
  const version = (reviews.body as { version?: string }).version ?? '';
  return {
    status: details.status === 200 && reviews.status === 200 ? 200 : 502,
    headers: { 'x-drawn': reviews.drawn, 'x-version': version, 'x-retries': String(details.retries + reviews.retries) },
    body: { details: details.body, reviews: reviews.body },
  };
});
