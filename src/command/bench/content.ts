/** What each message of a run says, and padding behind it. */
export interface Content {
  /** Which run: messages of another one, at the same channels, are none of ours. */
  readonly run: string;
  readonly stream: number;
  readonly number: number;
  /** When it was meant to be sent: milliseconds of the shared clock. */
  readonly intended: number;
}

/** Characters that the numbers of any run may take. */
export const SMALLEST = 64;

export function contentText({ run, stream, number, intended }: Content, size: number): string {
  return `${run}:${stream}:${number}:${Math.round(intended * 1000)}:`.padEnd(size, 'x');
}

/** Null: the content is not of that run. */
export function parseContent(content: unknown, run: string): Content | null {
  if (typeof content !== 'string') return null;
  const [of, stream, number, micros] = content.split(':', 4);
  if (of !== run || micros === undefined) return null;
  return { run, stream: Number(stream), number: Number(number), intended: Number(micros) / 1000 };
}
