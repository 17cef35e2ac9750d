import { upgrades } from './cases/upgrades.ts';
import { differential } from './suite.ts';

differential(upgrades);
