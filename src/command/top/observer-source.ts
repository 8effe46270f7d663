import { FAILED, Failed, NOT_YET, REFUSED } from '../command.ts';
import { type ListName, lists, type Row } from './lists.ts';
import type { Head, Look, Source } from './source.ts';

/** What the feed of the observer page pushes. */
interface Frame {
  readonly sample: {
    readonly messages: number;
    readonly deliveries: number;
    readonly dropped: number;
    readonly utilisation: number;
    readonly rss: number;
  } | null;
  readonly list: { readonly rows: readonly Row[]; readonly total: number } | null;
}

interface ObserverSourceArgs {
  /** Of the admin port. */
  readonly url: string;
  readonly token: string | null;
  /** Milliseconds until a port that does not answer is given up. */
  readonly timeout: number;
}

/** Looks over HTTP: the feed of the observer page, which tells a list every two seconds. */
export class ObserverSource implements Source {
  readonly #args: ObserverSourceArgs;
  #open: { readonly list: ListName; readonly sort: string; readonly frames: AsyncGenerator<Frame> } | null =
    null;
  #abort = new AbortController();
  #head: Head = { node: '', busy: 0, messages: 0, deliveries: 0, dropped: 0, memory: 0 };

  constructor(args: ObserverSourceArgs) {
    this.#args = args;
  }

  async next(list: ListName, sort: string): Promise<Look> {
    const frames = await this.#framesOf(list, sort);
    for (;;) {
      const { value: frame, done } = await frames.next();
      if (done) throw new Failed(FAILED, 'the relay is gone');
      const { sample } = frame;
      if (sample !== null)
        this.#head = {
          ...this.#head,
          busy: sample.utilisation,
          messages: sample.messages,
          deliveries: sample.deliveries,
          dropped: sample.dropped,
          memory: sample.rss,
        };
      // The first list comes at once, and has no rates yet.
      if (frame.list === null || sample === null) continue;
      return { list, rows: frame.list.rows, total: frame.list.total, head: this.#head };
    }
  }

  close(): void {
    this.#abort.abort();
  }

  /** What is pushed of a list: the feed is opened anew for another one. */
  async #framesOf(list: ListName, sort: string): Promise<AsyncGenerator<Frame>> {
    if (this.#open?.list === list && this.#open.sort === sort) return this.#open.frames;
    this.#abort.abort();
    this.#abort = new AbortController();
    const { url, token, timeout } = this.#args;
    const feed = new URL(url);
    feed.pathname = feed.pathname.replace(/\/(observer)?$/, '/observer/feed');
    feed.search = new URLSearchParams({ tab: list, by: lists[list].observerBy[sort] ?? '' }).toString();
    const timer = setTimeout(() => this.#abort.abort(), timeout);
    let response: Response;
    try {
      response = await fetch(feed, {
        signal: this.#abort.signal,
        ...(token === null ? {} : { headers: { Authorization: `Bearer ${token}` } }),
      });
    } catch (error) {
      const { cause } = error as { readonly cause?: { readonly message?: string } };
      throw new Failed(
        NOT_YET,
        `${feed.host} is out of reach: ${cause?.message ?? (error as Error).message}`,
      );
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      const code = response.status === 401 || response.status === 403 ? REFUSED : FAILED;
      throw new Failed(code, `${feed.host} answers ${response.status} to ${feed.pathname}`);
    }
    const frames = this.#frames(response.body);
    this.#open = { list, sort, frames };
    return frames;
  }

  async *#frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
    let event = '';
    try {
      for await (const line of textLines(body)) {
        if (line.startsWith('event: ')) event = line.slice(7);
        else if (line.startsWith('data: ')) {
          const content = JSON.parse(line.slice(6)) as Frame & { readonly node?: string };
          if (event === 'frame') yield content;
          else if (event === 'hello') this.#head = { ...this.#head, node: content.node ?? '' };
        }
      }
    } catch (error) {
      if (error instanceof SyntaxError) throw new Failed(FAILED, 'that is no feed of a relay');
    }
  }
}

async function* textLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
