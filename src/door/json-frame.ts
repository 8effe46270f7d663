/** What doors whose frames are JSON have in common. */

/** The fields of a frame; each may have any value. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads one message, valid UTF-8. Null: it is not JSON, or not an object. */
export function parseObject(payload: Buffer): Fields | null {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === 'object' ? (value as Fields | null) : null;
  } catch {
    return null;
  }
}

/** A publish frame as a client would have sent it, not yet framed. */
export function publishJson(channel: string, content: string): Buffer {
  return Buffer.from(
    `{"type":"publish","channel":${JSON.stringify(channel)},"content":${JSON.stringify(content)}}`,
  );
}
