/**
 * Weights as the dynamic policies count them: sixteen shares for each unit, so that there is something between; as many
 * of them as a server that comes up slowly is warm.
 */
import type { Server } from '../model.ts';

export const WEIGHT_SCALE = 16;
/** Of the largest weight, 256. */
export const MAX_SHARES = 256 * WEIGHT_SCALE;

/** 0 for a server that takes no new requests. */
export function shares(server: Server): number {
  return server.usable ? server.weight * server.warmth : 0;
}
