import type { NodeClient } from '../../attach/client/node-client.ts';
import { FAILED, Failed, NOT_YET } from '../command.ts';
import { type ListName, lists, type Row, withRates } from './lists.ts';
import type { Look, Source } from './source.ts';

/** Rows that one operation gives. */
const ROWS = 1000;

interface Sample {
  readonly messages: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly rss: number;
  readonly utilisation: number;
}

interface Page {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** Looks over the socket for operators. Where operations tell totals, rates are counted here, from one look to the next. */
export class AttachSource implements Source {
  readonly #client: NodeClient;
  readonly #every: number;
  #list: ListName | null = null;
  /** The last look at each list. */
  readonly #seen = new Map<ListName, { readonly at: number; readonly rows: ReadonlyMap<string, Row> }>();
  /** `every`: milliseconds from one look to the next. */
  constructor(client: NodeClient, every: number) {
    this.#client = client;
    this.#every = every;
  }

  async next(list: ListName, sort: string): Promise<Look> {
    const { looksTwice } = lists[list];
    if (looksTwice) {
      const [head, page] = await Promise.all([this.#head(), this.#page(list, sort, { window: this.#every })]);
      return { list, head, ...page };
    }
    if (this.#list !== list) {
      this.#list = list;
      this.#note(list, (await this.#page(list, sort)).rows);
    }
    const head = await this.#head();
    const { rows, total } = await this.#page(list, sort);
    const before = this.#seen.get(list);
    const rated = withRates(list, rows, before?.rows ?? new Map(), performance.now() - (before?.at ?? 0));
    this.#note(list, rows);
    return { list, head, rows: rated, total };
  }

  close(): void {
    this.#client.close();
  }

  #note(list: ListName, rows: readonly Row[]): void {
    const { identity } = lists[list];
    this.#seen.set(list, { at: performance.now(), rows: new Map(rows.map((row) => [identity(row), row])) });
  }

  /** Takes as long as one look lasts. */
  async #head(): Promise<Look['head']> {
    const [sample] = (await this.#call('node_stats', [1, this.#every])) as readonly Sample[];
    const perSecond = (count = 0) => (count * 1000) / this.#every;
    return {
      node: this.#client.hello.node,
      busy: sample?.utilisation ?? 0,
      messages: perSecond(sample?.messages),
      deliveries: perSecond(sample?.delivered),
      dropped: perSecond(sample?.dropped),
      memory: sample?.rss ?? 0,
    };
  }

  async #page(list: ListName, sort: string, more: Readonly<Record<string, number>> = {}): Promise<Page> {
    const { operation, operationBy } = lists[list];
    const by = operationBy[sort];
    const told = await this.#call(operation, by === undefined ? [] : [{ by, n: ROWS, ...more }]);
    // A relay without links says so in words.
    const rows = Array.isArray(told) ? told : ((told as { readonly rows?: readonly Row[] }).rows ?? []);
    const total = (told as { readonly total?: unknown }).total;
    return { rows, total: typeof total === 'number' ? total : rows.length };
  }

  async #call(name: string, args: readonly unknown[]): Promise<unknown> {
    const { ok, text } = await this.#client.call(name, args, 'json');
    if (!ok) throw new Failed(this.#client.isSilent ? NOT_YET : FAILED, text);
    return JSON.parse(text);
  }
}
