// The short form; 10,000 calls each in shares.long.test.ts.
import { describeShares } from './describe-shares.ts';

describeShares(1_600);
