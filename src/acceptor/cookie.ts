import { decodeOnce } from '../door/request-path.ts';
import { valuesOf } from './door-request.ts';
import { isShared, normalOrigin, originOf } from './origin.ts';

/** The value of a cookie (RFC 6265, section 4.2), percent-decoded; of several with the name that of the longest path. */
export function cookieValue(name: string, rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'cookie') continue;
    for (const pair of (rawHeaders[i + 1] ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
      const [, bare = ''] = /^"?(.*?)"?$/.exec(pair.slice(equals + 1).trim()) ?? [];
      return decodeOnce(bare) || undefined;
    }
  }
  return undefined;
}

/**
 * Whether a cookie may count as a credential. A browser sends it along with what any page asks for (cross-site WebSocket
 * hijacking), so it has to be known which pages may: those of the list of origins, which is judged elsewhere, or without
 * one those of the same origin. An origin that many pages share says nothing.
 */
export function cookieMayCount(
  rawHeaders: readonly string[],
  { listed, tls }: { readonly listed: boolean; readonly tls: boolean },
): boolean {
  const origin = originOf(rawHeaders);
  if (origin === undefined) {
    // Browsers leave the origin out of what a page of another site can ask for without reading the answer.
    const site = valuesOf(rawHeaders, 'sec-fetch-site');
    return site === undefined || site === 'same-origin' || site === 'none';
  }
  if (origin === null || isShared(origin)) return false;
  if (listed) return true;
  const host = valuesOf(rawHeaders, 'host');
  const own = normalOrigin(origin);
  // Without TLS of our own a proxy may speak it.
  return (
    own !== null &&
    (tls ? ['https'] : ['https', 'http']).some((scheme) => own === normalOrigin(`${scheme}://${host}`))
  );
}
