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
