import type { Subject } from '../fixture.ts';
import { buffering } from './buffering.ts';
import { expectContinue, keepAlive, pipelining, withoutBody } from './connections.ts';
import { badOrigins, departures, missingServers, timeouts } from './faults.ts';
import { chunking, framing, responseFraming } from './framing.ts';
import { headerEdits, headers, responseHeaders } from './headers.ts';
import { limits } from './limits.ts';
import { logs } from './logs.ts';
import { mutatedRequests, mutatedResponses } from './mutations.ts';
import { requestLines } from './requestlines.ts';
import { answersOfItsOwn, forwardFor, routing, statistics } from './rules.ts';
import { tcp } from './tcp.ts';
import { upgrades } from './upgrades.ts';

/** Every subject, in the order in which docs/differences.md tells of them. */
export const SUBJECTS: readonly Subject[] = [
  requestLines,
  headers,
  framing,
  chunking,
  limits,
  keepAlive,
  pipelining,
  withoutBody,
  expectContinue,
  buffering,
  upgrades,
  responseHeaders,
  responseFraming,
  badOrigins,
  missingServers,
  departures,
  timeouts,
  headerEdits,
  forwardFor,
  answersOfItsOwn,
  routing,
  statistics,
  logs,
  mutatedRequests,
  mutatedResponses,
  tcp,
];
