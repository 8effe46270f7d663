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

/** Whether pages that are no kin of each other have this origin. */
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
