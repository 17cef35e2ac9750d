import { tcp } from './cases/tcp.ts';
import { differential } from './suite.ts';

differential(tcp);
