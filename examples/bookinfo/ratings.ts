// Stars, by gRPC: the average in one answer, the single ones as a stream. The last service of the chain.
import { open, work } from './child.ts';
import type { RatingsHandlers } from './ratings-rpc.ts';

const STARS = [
  { reviewer: 'Reviewer1', stars: 5 },
  { reviewer: 'Reviewer2', stars: 4 },
];

const handlers: RatingsHandlers = {
  GetRating(_call, answer) {
    void work(4, 2).then(() => answer(null, { average: STARS.reduce((sum, { stars }) => sum + stars, 0) / STARS.length }));
  },
  ListStars(call) {
    void work(4, 2).then(() => {
      for (const stars of STARS) call.write(stars);
      call.end();
    });
  },
};

await open((wires, port) => wires.openRatings(handlers, port));
