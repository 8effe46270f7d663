/** A place in the order of a channel: message `offset` of the line that has the name `epoch`. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** Reads `EPOCH:OFFSET`; anything else is no position. */
export function positionOf(at: unknown): Position | undefined {
  const [, epoch, offset] = /^(\w+):(\d+)$/.exec(`${at}`) ?? [];
  return epoch && offset ? { epoch, offset: +offset } : undefined;
}

export function textOf(at: Position | undefined): string | undefined {
  return at && `${at.epoch}:${at.offset}`;
}

/** Whether `at` is in the same line as `end`, and not behind it. */
export function isUpTo(at: Position | undefined, end: Position | undefined): boolean {
  return at !== undefined && at.epoch === end?.epoch && at.offset <= end.offset;
}
