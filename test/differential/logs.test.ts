import { logs } from './cases/logs.ts';
import { differential } from './suite.ts';

differential(logs);
