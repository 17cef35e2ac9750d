import { headerEdits, headers, responseHeaders } from './cases/headers.ts';
import { differential } from './suite.ts';

differential(headers);
differential(responseHeaders);
differential(headerEdits);
