import { isIP } from 'node:net';

/**
 * Who may ask the admin port: whoever reaches it under its own name. A page of a stranger's, whose name was made to
 * resolve to this machine (DNS rebinding), asks under the stranger's name; an address or `localhost` cannot be one.
 */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  const host = hostOf(header);
  if (host === null) return false;
  return isIP(host) !== 0 || host === 'localhost' || names.some((name) => name.toLowerCase() === host);
}

/** Load balancers ask for health without a `Host`, which HTTP/1.0 has not. Browsers always send one. */
export function isProbe(httpVersion: string, path: string): boolean {
  return httpVersion === '1.0' && /^\/health(z|\/live|\/ready)?$/.test(path);
}

/** Browsers name the page that asks; programs name none. Only a page of this very port may. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  const own = host?.toLowerCase();
  return (
    own !== undefined &&
    (origin.toLowerCase() === `http://${own}` || origin.toLowerCase() === `https://${own}`)
  );
}

/** What a browser says of where a request comes from (Fetch Metadata); older ones and programs say nothing. */
export function isOwnSite(site: string | undefined, mode: string | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none' || mode === 'navigate';
}

/** The host of a `Host` header, lower case and without port and brackets; null: it is none. */
function hostOf(header: string | undefined): string | null {
  const [, bracketed, named] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+))(?::\d{1,5})?$/.exec(header ?? '') ?? [];
  return (bracketed ?? named)?.toLowerCase().replace(/\.$/, '') ?? null;
}
