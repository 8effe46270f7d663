import type { Screen } from './command.ts';

/**
 * Lines on standard output, one after the other, each written at once. `write` settles when there is place for more: who
 * waits for that never piles lines up for a reader that is slower.
 */
export class LineOutput {
  readonly #screen: Screen;
  /** Settles when whoever read the output has gone. */
  readonly gone: Promise<void>;
  #isGone = false;
  /** Those who wait for place. */
  #waiting: (() => void)[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
    this.gone = new Promise((resolve, reject) => {
      screen.on('error', (error: NodeJS.ErrnoException) => {
        this.#isGone = true;
        this.#wake();
        if (error.code === 'EPIPE') resolve();
        else reject(error);
      });
    });
    this.gone.catch(() => undefined);
    screen.on('drain', () => this.#wake());
  }

  async write(line: string): Promise<void> {
    if (this.#isGone || this.#screen.write(`${line}\n`)) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Settles when all lines are written. */
  async flush(): Promise<void> {
    if (this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#screen.write('', () => resolve());
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
