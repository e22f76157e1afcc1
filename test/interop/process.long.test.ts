import { otherMajors } from './nodes.ts';
import { processSuite } from './process-suite.ts';

processSuite(otherMajors());
