// The test that the docs show, run as a test.
import '../../examples/simulation.test.ts';
