// As many calls as the inputs' README asks for.
import { describeShares } from './describe-shares.ts';

describeShares(10_000);
