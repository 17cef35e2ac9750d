import { badOrigins, missingServers, timeouts } from './cases/faults.ts';
import { differential } from './suite.ts';

differential(badOrigins);
differential(missingServers);
differential(timeouts);
