import type { IncomingMessage } from 'node:http';
import type { DoorRequest } from '../door/contract.ts';
import { targetOf } from '../http/request-target.ts';

/** A request of Node's as doors see it. */
export function asDoorRequest(
  request: IncomingMessage,
  isUpgrade: boolean,
  cookie: DoorRequest['cookie'],
): DoorRequest {
  const { target } = targetOf(request);
  const at = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: at === -1 ? target : target.slice(0, at),
    query: at === -1 ? '' : target.slice(at + 1),
    upgrade: isUpgrade,
    header: (name) => valuesOf(request.rawHeaders, name),
    cookie,
  };
}

/** Read from the raw headers, because Node keeps only the first of some that are repeated. `name` in lower case. */
export function valuesOf(rawHeaders: readonly string[], name: string): string | undefined {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] as string;
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[i + 1] ?? '');
  }
  return values.length === 0 ? undefined : values.join(', ');
}
