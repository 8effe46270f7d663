import { createContext, Script } from 'node:vm';
import { pageScript } from '../../../src/door/pinghub/page-script.ts';

type Listener = (event: object) => void;

/** As much of an element as the page's script touches. */
class Element {
  readonly dataset: { state?: string } = {};
  readonly listeners = new Map<string, Listener>();
  children: Element[] = [];
  parent: Element | null = null;
  textContent = '';
  value = '';
  dir = '';
  className = '';
  disabled = false;
  hidden = false;
  scrollHeight = 0;
  scrollTop = 0;
  clientHeight = 0;

  get childElementCount(): number {
    return this.children.length;
  }

  get firstElementChild(): Element | undefined {
    return this.children[0];
  }

  append(...added: readonly Element[]): void {
    for (const child of added) child.parent = this;
    this.children.push(...added);
  }

  remove(): void {
    if (this.parent !== null) this.parent.children = this.parent.children.filter((child) => child !== this);
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, listener);
  }

  requestSubmit(): void {
    this.listeners.get('submit')?.({ preventDefault() {} });
  }

  focus(): void {}
}

export class FakeSocket {
  readonly sent: string[] = [];
  readonly url: string;
  /** The subprotocol that the relay has chosen, of those offered. */
  readonly protocol: string;
  readyState = 0;
  onopen: () => void = () => {};
  onmessage: (event: { readonly data: string }) => void = () => {};
  onclose: (event: { readonly code: number; readonly reason: string }) => void = () => {};

  constructor(url: unknown, protocol: string) {
    this.url = String(url);
    this.protocol = protocol;
  }

  send(data: string): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 2;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen();
  }

  says(data: string): void {
    this.onmessage({ data });
  }

  /** Says an event, as a relay does that speaks of them. */
  tells(event: {
    readonly id?: string;
    readonly event?: 'missed';
    readonly data?: string | number | null;
  }): void {
    this.says(JSON.stringify(event));
  }

  drops(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
  readonly every: number | null;
}

/** Runs the page's script with a document, sockets and a clock that the test moves. `old`: the relay speaks `pinghub` alone. */
export function openPage(href: string, { old = false } = {}) {
  const elements = new Map<string, Element>();
  const sockets: FakeSocket[] = [];
  const windowListeners = new Map<string, Listener>();
  const documentListeners = new Map<string, Listener>();
  const timers = new Map<number, Timer>();
  let now = 1_000_000;
  let lastTimer = 0;

  class KeptSocket extends FakeSocket {
    constructor(url: unknown, offered: readonly string[]) {
      super(url, (old ? offered.find((name) => name === 'pinghub') : offered[0]) ?? '');
      sockets.push(this);
    }
  }

  const schedule = (run: () => void, after: number, every: number | null) => {
    timers.set(++lastTimer, { at: now + after, run, every });
    return lastTimer;
  };
  const element = (id: string) => {
    const known = elements.get(id) ?? new Element();
    elements.set(id, known);
    return known;
  };

  const document = {
    visibilityState: 'visible',
    getElementById: element,
    createElement: () => new Element(),
    addEventListener: (type: string, listener: Listener) => documentListeners.set(type, listener),
  };

  const context = createContext({
    location: { href },
    document,
    URL,
    WebSocket: KeptSocket,
    addEventListener: (type: string, listener: Listener) => windowListeners.set(type, listener),
    setTimeout: (run: () => void, after: number) => schedule(run, after, null),
    setInterval: (run: () => void, every: number) => schedule(run, every, every),
    clearTimeout: (timer: number | undefined) => timers.delete(timer ?? 0),
    clock: () => now,
  });
  new Script('Date.now = clock; Math.random = () => 0.5;').runInContext(context);
  new Script(pageScript).runInContext(context);

  return {
    sockets,
    element,
    state: () => element('state'),
    /** The texts of the messages shown. */
    shown: () => element('messages').children.map((item) => item.children[1]?.textContent),
    socket(): FakeSocket {
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error('no socket');
      return socket;
    },
    /** What was shown beside messages. */
    notices: () =>
      element('messages').children.flatMap((item) =>
        item.className === '' ? [] : [item.children[1]?.textContent],
      ),
    fire: (type: string, event: object = {}) => windowListeners.get(type)?.(event),
    /** The page goes to the back, or comes to the front. */
    shows(visibilityState: 'visible' | 'hidden'): void {
      document.visibilityState = visibilityState;
      documentListeners.get('visibilitychange')?.({});
    },
    press(key: string, shiftKey = false): void {
      element('text').listeners.get('keydown')?.({ key, shiftKey, isComposing: false, preventDefault() {} });
    },
    passes(milliseconds: number): void {
      const end = now + milliseconds;
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
        if (due === undefined) break;
        const [id, { at, run, every }] = due;
        now = at;
        if (every === null) timers.delete(id);
        else timers.set(id, { at: at + every, run, every });
        run();
      }
      now = end;
    },
  };
}
