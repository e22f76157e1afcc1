import { ownMajor } from './nodes.ts';
import { processSuite } from './process-suite.ts';

processSuite([ownMajor()]);
