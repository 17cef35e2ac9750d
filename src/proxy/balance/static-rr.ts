/** `balance static-rr`: in turn through a table in which each server stands as often as its weight says. */
import type { Backend } from '../model.ts';
import type { Policy } from './policy.ts';
import { SlotTable } from './slot-table.ts';

export function staticRoundRobin(backend: Backend): Policy {
  const table = new SlotTable(backend);
  return {
    pick: (_tx, full) => table.next(full),
    serverChanged: () => table.rebuild(),
  };
}
