import { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { HistorySearch } from './history-search.ts';

/** What a search needs of the line editor. */
export interface Editor {
  /** The lines of the history, the newest first; null: nothing is edited now. */
  history(): readonly string[] | null;
  /** Takes the line that is edited off the screen, and returns it. */
  take(): string;
  /** Shows the state of a search in its place. */
  show(search: HistorySearch): void;
  /** Edits this line, in place of what is shown. */
  edit(line: string): void;
}

const SEARCH = '\u0012';

/** What a terminal's own input has beside a stream's. */
type Terminal = NodeJS.ReadableStream & {
  readonly isRaw?: boolean;
  setRawMode?(on: boolean): unknown;
};

/**
 * The keys of a terminal on their way to the line editor: `^R` begins a search in the history, and until it is over the keys
 * are the search's.
 */
export class SearchInput extends Transform {
  readonly isTTY = true;
  readonly #terminal: Terminal;
  readonly #decoder = new StringDecoder('utf8');
  #search: { readonly of: HistorySearch; readonly before: string } | null = null;
  #editor: Editor | null = null;

  constructor(terminal: Terminal) {
    super();
    this.#terminal = terminal;
    terminal.pipe(this);
  }

  /** The editor reads from this stream, so that it is made later. */
  serve(editor: Editor): void {
    this.#editor = editor;
  }

  /** As the line editor asks of a terminal. */
  setRawMode(on: boolean): this {
    this.#terminal.setRawMode?.(on);
    return this;
  }

  /** Lets go of the terminal. */
  override end(): this {
    this.#terminal.unpipe(this);
    this.#terminal.pause();
    return super.end() as this;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take(this.#decoder.write(chunk));
    done();
  }

  #take(text: string): void {
    if (text === '') return;
    if (this.#search !== null) {
      this.#searched(this.#search, text);
      return;
    }
    const at = text.indexOf(SEARCH);
    const lines = at < 0 ? null : (this.#editor?.history() ?? null);
    if (lines === null || this.#editor === null) {
      this.push(text);
      return;
    }
    // What was typed before it is the editor's, and would come to it too late: it is rare, and is put in the line at once.
    const typed = text.slice(0, at);
    const before = this.#editor.take() + typed;
    this.#search = { of: new HistorySearch(lines), before };
    this.#editor.show(this.#search.of);
    this.#take(text.slice(at + 1));
  }

  #searched({ of, before }: { readonly of: HistorySearch; readonly before: string }, text: string): void {
    const searched = of.keys(text);
    if (searched.type === 'goes on') {
      this.#editor?.show(of);
      return;
    }
    this.#search = null;
    this.#editor?.edit(searched.type === 'taken' && of.line !== '' ? searched.line : before);
    this.#take(searched.rest);
  }
}
