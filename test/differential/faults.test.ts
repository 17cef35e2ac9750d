import { badOrigins, departures, missingServers, timeouts } from './cases/faults.ts';
import { differential } from './suite.ts';

differential(badOrigins);
differential(missingServers);
differential(departures);
differential(timeouts);
