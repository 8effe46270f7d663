import { connectedNode } from './attach-command.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  type OptionTable,
  type Place,
  type Screen,
} from './command.ts';
import { aborted } from './interruption.ts';
import { LineOutput } from './line-output.ts';
import { settingsOptions } from './node-options.ts';
import { countIn, timeIn, wordIn } from './quantities.ts';
import { credentialOf, tokenFileIn } from './reach.ts';
import { AttachSource } from './top/attach-source.ts';
import { type ListName, listNames, lists, listText, plainRow, sorted, sortKeys } from './top/lists.ts';
import { ObserverSource } from './top/observer-source.ts';
import { headText, type Look, type Source } from './top/source.ts';

const options = {
  by: {
    type: 'string',
    value: 'topics|connections|processes|links|relays',
    about: 'what is listed (default: topics)',
  },
  sort: { type: 'string', value: 'KEY', about: 'the column by which it is sorted; a wrong one names all' },
  rows: { type: 'string', short: 'n', value: 'N', about: 'how many rows (default: as many as fit, or 20)' },
  every: { type: 'string', value: 'S', about: 'seconds from one look to the next (default: 2)' },
  once: { type: 'boolean', about: 'one look' },
  json: { type: 'boolean', about: 'each look as one line of JSON' },
  url: {
    type: 'string',
    value: 'URL',
    about: 'the admin port of a relay elsewhere (default: the socket of the relay on this machine)',
  },
  token: { type: 'string', value: '@FILE', about: 'the file that holds the credential for the admin port' },
  timeout: {
    type: 'string',
    value: 'S',
    about: 'seconds that the admin port may take to answer (default: 10)',
  },
  ...settingsOptions,
} as const satisfies OptionTable;

const ROWS = 20;

/** What keeps a relay busy, refreshed in place. */
export const topCommand: Command = {
  usage: ['top [options]'],
  help: {
    about: [
      'Shows the topics, connections, processes or links of a relay that have most of something, or all relays, again and again.',
      'On a terminal: t c p l n choose the list, < and > the column to sort by, r turns the order round, q ends.',
    ],
    options,
    example: 'top --by connections --sort pending',
  },
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    if (positionals.length > 0) throw new BadUsage();
    const list = values.by === undefined ? 'topics' : wordIn('--by', values.by, listNames);
    const sort =
      values.sort === undefined ? lists[list].usual : wordIn('--sort', values.sort, sortKeys(list));
    const rows = values.rows === undefined ? null : countIn('--rows', values.rows);
    const every = timeIn('--every', values.every ?? '2');
    if (every < 100) throw new BadUsage('--every is at least 100ms');
    const source = await sourceOf(values, every, place);
    const interrupted = place.interruption();
    const screen = place.stdout();
    const view = { list, sort, reverse: false };
    try {
      if (screen.isTTY === true && !values.json && !values.once)
        return await onTerminal({ source, screen, view, rows, place, interrupted });
      const output = new LineOutput(screen);
      const ends = Promise.race([output.gone, aborted(interrupted)]).then(() => null);
      do {
        const look = await Promise.race([source.next(list, sort), ends]);
        if (look === null) return DONE;
        await output.write(
          values.json
            ? jsonOf(look, view, rows ?? ROWS)
            : textOf(look, view, rows ?? ROWS, screen.isTTY ? screen.columns : undefined).join('\n'),
        );
        if (!values.once && !values.json) await output.write('');
      } while (!values.once);
      await output.flush();
      return DONE;
    } finally {
      source.close();
    }
  },
};

interface SourceValues {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly timeout?: string | undefined;
  readonly config?: string | undefined;
  readonly set?: string[] | undefined;
}

async function sourceOf(values: SourceValues, every: number, place: Place): Promise<Source> {
  const { url, config, set } = values;
  if (url === undefined) {
    return new AttachSource(await connectedNode({ config, set: set ?? [] }, place), every);
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new BadUsage('--url takes the address of an admin port, such as http://127.0.0.1:55002');
  const timeout = timeIn('--timeout', values.timeout ?? '10');
  return new ObserverSource({
    url,
    timeout,
    token: credentialOf({ tokenFile: tokenFileIn(values.token) }, place),
  });
}

interface View {
  list: ListName;
  sort: string;
  reverse: boolean;
}

function shown({ list, rows }: Look, { sort, reverse }: View, most: number) {
  return sorted(list, rows, sort, reverse).slice(0, most);
}

function jsonOf(look: Look, view: View, most: number): string {
  const { list, total, head } = look;
  const rows = shown(look, view, most).map((row) => plainRow(list, row));
  return JSON.stringify({ at: new Date().toISOString(), ...head, by: list, sort: view.sort, total, rows });
}

function textOf(look: Look, view: View, most: number, width?: number): string[] {
  const { head, list, total } = look;
  return [
    headText(head, list, total, width),
    '',
    ...listText(list, shown(look, view, most), view.sort, width),
  ];
}

interface TerminalArgs {
  readonly source: Source;
  readonly screen: Screen;
  readonly view: View;
  readonly rows: number | null;
  readonly place: Place;
  readonly interrupted: AbortSignal;
}

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
/** Lines above the rows: the relay, an empty one, the titles. */
const HEAD_LINES = 3;

/** Draws over what it has drawn before, on a screen of its own, and listens to keys. */
async function onTerminal({ source, screen, view, rows, place, interrupted }: TerminalArgs): Promise<number> {
  const keys = place.input as Place['input'] & { setRawMode?: (raw: boolean) => void };
  let last: Look | null = null;
  let quit: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    quit = resolve;
  });
  let change: () => void = () => undefined;
  const draw = () => {
    if (last === null || last.list !== view.list) return;
    const most = rows ?? Math.max(1, (screen.rows ?? 24) - HEAD_LINES - 1);
    const width = screen.columns ?? 80;
    const lines = textOf(last, view, most, width).map((line) => `${line.slice(0, width)}\u001b[K`);
    screen.write(`\u001b[H${lines.join('\n')}\u001b[J`);
  };
  const press = (key: string) => {
    const before = view.list;
    if (key === 'q' || key === '\u0003' || key === '\u0004') quit();
    else turn(view, key);
    if (view.list !== before) change();
    draw();
  };
  const onData = (chunk: Buffer | string) => {
    for (const key of chunk.toString()) press(key);
  };
  screen.write(ENTER);
  keys.setRawMode?.(true);
  keys.on('data', onData);
  try {
    const ends = Promise.race([done, aborted(interrupted)]).then(() => 'end' as const);
    for (;;) {
      const changed = new Promise<'changed'>((resolve) => {
        change = () => resolve('changed');
      });
      const look = await Promise.race([source.next(view.list, view.sort), ends, changed]);
      if (look === 'end') return DONE;
      if (look === 'changed') continue;
      last = look;
      draw();
    }
  } finally {
    keys.off('data', onData);
    keys.setRawMode?.(false);
    keys.pause();
    screen.write(LEAVE);
  }
}

const LISTS: Readonly<Record<string, ListName>> = {
  t: 'topics',
  c: 'connections',
  p: 'processes',
  l: 'links',
  n: 'relays',
};

/** What a key does to the view. */
function turn(view: View, key: string): void {
  const list = Object.hasOwn(LISTS, key) ? LISTS[key] : undefined;
  if (list !== undefined) {
    view.list = list;
    view.sort = lists[list].usual;
    return;
  }
  const keys = sortKeys(view.list);
  const at = keys.indexOf(view.sort);
  if (key === 'r') view.reverse = !view.reverse;
  if (key === '>') view.sort = keys[(at + 1) % keys.length] ?? view.sort;
  if (key === '<') view.sort = keys[(at + keys.length - 1) % keys.length] ?? view.sort;
}
