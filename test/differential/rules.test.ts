import { answersOfItsOwn, forwardFor, routing, statistics } from './cases/rules.ts';
import { differential } from './suite.ts';

differential(forwardFor);
differential(answersOfItsOwn);
differential(routing);
differential(statistics);
