import type { StoreLog } from '../../../src/authenticator/api-keys/key-store.ts';
import { redacted } from '../../../src/secret/redaction.ts';
import { Arrivals } from '../../support/arrivals.ts';
import type { Logged } from '../../support/relay.ts';

/** What a store says. */
export function storeLog(): { readonly log: StoreLog; readonly lines: Arrivals<Logged> } {
  const lines = new Arrivals<Logged>('log of the store');
  const push = (msg: string, fields: Readonly<Record<string, unknown>> = {}) =>
    lines.push({ msg, ...redacted(fields) });
  return { log: { note: push, warn: push }, lines };
}

/** Changes, as they are told. */
export function changes(): { readonly tell: () => void; readonly told: Arrivals<number> } {
  const told = new Arrivals<number>('changes');
  return { told, tell: () => told.push(told.all.length + 1) };
}
