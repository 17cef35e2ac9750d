import { expectContinue, keepAlive, pipelining, withoutBody } from './cases/connections.ts';
import { differential } from './suite.ts';

differential(keepAlive);
differential(pipelining);
differential(withoutBody);
differential(expectContinue);
