import { requestLines } from './cases/requestlines.ts';
import { differential } from './suite.ts';

differential(requestLines);
