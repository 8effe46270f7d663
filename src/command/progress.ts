import type { Screen } from './command.ts';

/** Milliseconds between two looks. */
const PERIOD = 100;
const WIDTH = 30;

/** How far a command is, in one line that is written again and again: on a terminal, and nowhere else. */
export class Progress {
  readonly #screen: Screen;
  readonly #line: () => ProgressLine;
  readonly #timer: NodeJS.Timeout | null;
  #isShown = false;

  /** `line` is asked for whenever it is to be shown. */
  constructor(screen: Screen, line: () => ProgressLine) {
    this.#screen = screen;
    this.#line = line;
    this.#timer = screen.isTTY === true ? setInterval(() => this.#show(), PERIOD) : null;
  }

  /** Takes the line away. */
  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    if (this.#isShown) this.#screen.write('\r\u001b[K');
    this.#isShown = false;
  }

  #show(): void {
    this.#isShown = true;
    this.#screen.write(`\r${progressText(this.#line(), this.#screen.columns ?? 80)}\u001b[K`);
  }
}

export interface ProgressLine {
  /** From 0 to 1; null: nobody knows how much there is. */
  readonly part: number | null;
  readonly text: string;
}

/** One line, shorter than the terminal is wide: a longer one would leave its beginning behind. */
export function progressText({ part, text }: ProgressLine, columns: number): string {
  if (part === null) return text.slice(0, columns - 1);
  const full = Math.round(Math.min(1, Math.max(0, part)) * WIDTH);
  return `[${'='.repeat(full)}${' '.repeat(WIDTH - full)}] ${text}`.slice(0, columns - 1);
}
