import { buffering } from './cases/buffering.ts';
import { differential } from './suite.ts';

differential(buffering);
