import { mutatedRequests, mutatedResponses } from './cases/mutations.ts';
import { differential } from './suite.ts';

differential(mutatedRequests);
differential(mutatedResponses);
