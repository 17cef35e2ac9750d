import { limits } from './cases/limits.ts';
import { differential } from './suite.ts';

differential(limits);
