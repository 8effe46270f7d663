export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A parser that knows nothing of the writer: RFC 6455, section 5.2, with the shortest length that will do. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at++);
    const second = bytes.readUInt8(at++);
    if ((first & 0xf0) !== 0x80) throw new Error('not one whole frame without extensions');
    if ((second & 0x80) !== 0) throw new Error('masked');
    let length = second;
    if (second === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
      if (length < 126) throw new Error('length too long');
    } else if (second === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
      if (length < 65536) throw new Error('length too long');
    }
    if (at + length > bytes.length) throw new Error('cut off');
    frames.push({ opcode: first & 0x0f, payload: bytes.subarray(at, at + length) });
    at += length;
  }
  return frames;
}

/** The texts of finished text frames; for a frame of another kind, its opcode. */
export function texts(bytes: Buffer): (string | number)[] {
  return parseFrames(bytes).map(({ opcode, payload }) => (opcode === 1 ? payload.toString() : opcode));
}
