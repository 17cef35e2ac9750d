/** `option forwardfor` and `option originalto`: one more field with an address (manual, section 4). */
import type { Head } from '../http1/head.ts';
import type { ForwardFor } from './plan.ts';

export function addForwardFor(request: Head, rule: ForwardFor, address: string): void {
  if (rule.except?.(address)) return;
  if (rule.ifNone && request.has(rule.name)) return;
  request.add(rule.name, address);
}
