import type { DoorRequest } from '../../src/door/contract.ts';

export interface RequestParts {
  readonly method?: string;
  /** Path and query, undecoded. */
  readonly target?: string;
  readonly upgrade?: boolean;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The value of the cookie that holds a credential. */
  readonly cookie?: string;
}

/** A plain GET of `/` unless told otherwise. */
export function doorRequest({
  method = 'GET',
  target = '/',
  upgrade = false,
  headers = {},
  cookie,
}: RequestParts): DoorRequest {
  const [path = '', ...query] = target.split('?');
  const values = new Map(Object.entries(headers));
  return {
    method,
    path,
    query: query.join('?'),
    upgrade,
    header: (name) => values.get(name.toLowerCase()),
    cookie: () => cookie,
  };
}
