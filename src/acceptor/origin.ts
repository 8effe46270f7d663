import type { CrossOriginOffer, HttpReply } from '../door/contract.ts';
import { valuesOf } from '../http/request.ts';

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
  ['ws', '80'],
  ['wss', '443'],
]);

/**
 * An origin (RFC 6454, section 6.2) in the one spelling that compares: lower case, port explicit. Null when the text
 * is not one origin: `null` (what browsers send for an opaque one), a list, a repeated header, a path behind it.
 */
export function normalOrigin(text: string): string | null {
  const [, scheme, host, port] =
    /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^\s:/?#@[\],]+)(?::(\d{1,5}))?$/.exec(text.toLowerCase()) ??
    [];
  if (scheme === undefined || host === undefined) return null;
  return `${scheme}://${host}:${port === undefined ? (defaultPorts.get(scheme) ?? '') : Number(port)}`;
}

/** Origins that many pages share: opaque ones, and those of files. They are compared as they are. */
const SHARED = new Set(['null', 'file://']);

/** Whether pages that have nothing to do with each other have this origin. */
export function isShared(origin: string): boolean {
  return SHARED.has(origin);
}

/** The `Origin` of a request as it came. Undefined: there is none. Null: there are several. */
export function originOf(rawHeaders: readonly string[]): string | null | undefined {
  let origin: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 6 || name.toLowerCase() !== 'origin') continue;
    if (origin !== undefined) return null;
    origin = rawHeaders[i + 1] ?? '';
  }
  return origin;
}

/** Whether a request may come from where its headers say; two `Origin` headers never may. */
export type OriginRule = (rawHeaders: readonly string[]) => boolean;

/**
 * Judges a request by its `Origin`. `allowed`: origins, and patterns (`https://*.example.com`: every host below
 * example.com at any depth, not example.com itself; scheme and port as they stand), `null` and `file://` as such; null:
 * any. Only browsers send the header, and they always do where it matters: without one a request passes.
 */
export function originRule(allowed: readonly string[] | null): OriginRule {
  const exact = new Set<string>();
  const below: { readonly scheme: string; readonly rest: string }[] = [];
  for (const text of allowed ?? []) {
    if (isShared(text)) {
      exact.add(text);
      continue;
    }
    const [scheme, host] = text.split('://*.') as [string, string | undefined];
    const normal = normalOrigin(host === undefined ? text : `${scheme}://${host}`);
    if (normal === null) throw new Error(`not an origin: ${text}`);
    if (host === undefined) exact.add(normal);
    else
      below.push({
        scheme: `${normal.slice(0, normal.indexOf('://'))}://`,
        rest: `.${normal.slice(normal.indexOf('://') + 3)}`,
      });
  }

  function isAllowed(origin: string): boolean {
    if (allowed === null) return true;
    if (isShared(origin)) return exact.has(origin);
    const normal = normalOrigin(origin);
    if (normal === null) return false;
    if (exact.has(normal)) return true;
    return below.some(
      ({ scheme, rest }) =>
        normal.startsWith(scheme) && normal.endsWith(rest) && normal.length > scheme.length + rest.length,
    );
  }

  return (rawHeaders) => {
    const origin = originOf(rawHeaders);
    return origin === undefined || (origin !== null && isAllowed(origin));
  };
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

export interface CrossOriginOptions {
  /** See `originRule`. */
  readonly allowed: readonly string[] | null;
  readonly offer: CrossOriginOffer;
  /** Cookies count: pages of listed origins may read what was asked with them. */
  readonly credentials: boolean;
}

/** Seconds; no browser keeps it for longer than two hours or a day. The request itself is judged each time. */
const MAX_AGE = '7200';

const readable = { 'Access-Control-Expose-Headers': 'Retry-After' };
/** Sent whether or not there is an `Origin`, so that answers need not vary (section 3.3.5). */
const anybody = { 'Access-Control-Allow-Origin': '*', ...readable };
const nobody = { Vary: 'Origin' };

/** What answers tell browsers, so that they let pages of other origins ask and read (Fetch standard, section 3.3). */
export class CrossOrigin {
  readonly #options: CrossOriginOptions;
  readonly #isAllowed: OriginRule;

  constructor(options: CrossOriginOptions) {
    this.#options = options;
    this.#isAllowed = originRule(options.allowed);
  }

  /** For every answer to a request, refusals included. */
  headersFor(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
    if (this.#options.allowed === null) return anybody;
    const origin = originOf(rawHeaders);
    if (origin == null || !this.#isAllowed(rawHeaders)) return nobody;
    const headers = { ...nobody, 'Access-Control-Allow-Origin': origin, ...readable };
    const credentials = this.#options.credentials && !isShared(origin);
    return credentials ? { ...headers, 'Access-Control-Allow-Credentials': 'true' } : headers;
  }

  /** The answer to OPTIONS, for pages whose origin is allowed; it needs `headersFor` too. */
  preflight(rawHeaders: readonly string[]): HttpReply {
    const { methods, headers } = this.#options.offer;
    // Browsers ask so before a page of the internet reaches into a local network.
    const isPrivate = valuesOf(rawHeaders, 'access-control-request-private-network') === 'true';
    return {
      type: 'reply',
      status: 204,
      headers: {
        'Access-Control-Allow-Methods': methods,
        'Access-Control-Allow-Headers': headers,
        'Access-Control-Max-Age': MAX_AGE,
        ...(isPrivate ? { 'Access-Control-Allow-Private-Network': 'true' } : {}),
      },
      body: '',
    };
  }
}
