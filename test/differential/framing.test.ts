import { chunking, framing, responseFraming } from './cases/framing.ts';
import { differential } from './suite.ts';

differential(framing);
differential(chunking);
differential(responseFraming);
