import type { IncomingMessage } from 'node:http';

/** The scheme and authority of a target in absolute form, as proxies get it (RFC 9112, section 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#@]+)(?=[/?]|$)/i;

/** Where a request goes: its target in origin form, and the host that it names, be it in the target or in `Host`. */
export function targetOf({ url = '/', headers }: Pick<IncomingMessage, 'url' | 'headers'>): {
  readonly target: string;
  readonly host: string | undefined;
} {
  const [start, authority] = ABSOLUTE.exec(url) ?? [];
  if (start === undefined) return { target: url, host: headers.host };
  const rest = url.slice(start.length);
  return { target: rest.startsWith('/') ? rest : `/${rest}`, host: authority };
}
