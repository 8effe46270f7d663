/** What a key has led to. */
export type Searched =
  | { readonly type: 'goes on' }
  /** The line is edited from here on; `rest`: what was typed behind, for the editor. */
  | { readonly type: 'taken'; readonly line: string; readonly rest: string }
  | { readonly type: 'given up'; readonly rest: string };

const BACK = '\u0012';
const FORWARD = '\u0013';
const CANCEL: readonly string[] = ['\u0003', '\u0007'];
const DELETE: readonly string[] = ['\u007f', '\b'];
const ESCAPE = '\u001b';

/**
 * A search in the history, as `^R` of shells does it, which Node's readline does not have: what is typed is looked for in the
 * newer lines first, `^R` goes on to older ones and `^S` back, Enter takes the line and any other key edits it, `^G` and `^C`
 * give up. Pure: keys in, a line to show out.
 */
export class HistorySearch {
  readonly #lines: readonly string[];
  #wanted = '';
  /** Of the line that is shown; -1: none yet. */
  #at = -1;
  #failed = false;

  /** `lines`: the newest first. */
  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Takes keys as a terminal sends them. */
  keys(text: string): Searched {
    const keys = [...text];
    for (const [i, key] of keys.entries()) {
      const rest = () => keys.slice(i + 1).join('');
      if (key === BACK) this.#find(this.#at + 1, 1);
      else if (key === FORWARD) this.#find(this.#at - 1, -1);
      else if (CANCEL.includes(key)) return { type: 'given up', rest: rest() };
      else if (DELETE.includes(key)) this.#want([...this.#wanted].slice(0, -1).join(''), 0);
      else if (key === ESCAPE) {
        // Alone it is a key; before others it begins the name of one, such as an arrow.
        const name = rest() === '' ? '' : key + rest();
        return { type: 'taken', line: this.line, rest: name };
      } else if (key < ' ') return { type: 'taken', line: this.line, rest: key + rest() };
      else this.#want(this.#wanted + key, Math.max(0, this.#at));
    }
    return { type: 'goes on' };
  }

  /** The line that was found. */
  get line(): string {
    return this.#lines[this.#at] ?? '';
  }

  /** What is shown in place of the prompt, in so many characters. */
  shown(columns: number): string {
    const label = this.#failed ? 'failed reverse-i-search' : 'reverse-i-search';
    const text = `(${label})'${this.#wanted}': ${this.line}`;
    return text.length < columns ? text : `${text.slice(0, Math.max(0, columns - 2))}…`;
  }

  #want(wanted: string, from: number): void {
    this.#wanted = wanted;
    if (wanted !== '') this.#find(from, 1);
    else {
      this.#at = -1;
      this.#failed = false;
    }
  }

  /** The next line with what is wanted; where there is none, the one that is shown stays. */
  #find(from: number, step: 1 | -1): void {
    this.#failed = true;
    if (this.#wanted === '') {
      this.#failed = false;
      return;
    }
    for (let at = from; at >= 0 && at < this.#lines.length; at += step) {
      if (!this.#lines[at]?.includes(this.#wanted)) continue;
      this.#at = at;
      this.#failed = false;
      return;
    }
  }
}
