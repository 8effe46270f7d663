import type { DoorRequest } from '../../src/door/contract.ts';

export interface RequestParts {
  readonly method?: string;
  /** Path and query, undecoded. */
  readonly target?: string;
  readonly upgrade?: boolean;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A plain GET of `/` unless told otherwise. */
export function doorRequest({
  method = 'GET',
  target = '/',
  upgrade = false,
  headers = {},
}: RequestParts): DoorRequest {
  const [path = '', ...query] = target.split('?');
  const values = new Map(Object.entries(headers));
  return {
    method,
    path,
    query: query.join('?'),
    upgrade,
    header: (name) => values.get(name.toLowerCase()),
  };
}
