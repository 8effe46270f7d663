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
  readyState = 0;
  onopen: () => void = () => {};
  onmessage: (event: { readonly data: string }) => void = () => {};
  onclose: (event: { readonly code: number; readonly reason: string }) => void = () => {};

  constructor(url: string) {
    this.url = url;
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

/** Runs the page's script with a document, sockets and a clock that the test moves. */
export function openPage(href: string) {
  const elements = new Map<string, Element>();
  const sockets: FakeSocket[] = [];
  const windowListeners = new Map<string, Listener>();
  const timers = new Map<number, Timer>();
  let now = 1_000_000;
  let lastTimer = 0;

  class KeptSocket extends FakeSocket {
    constructor(url: string) {
      super(url);
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

  const context = createContext({
    location: { href },
    document: { getElementById: element, createElement: () => new Element() },
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
    fire: (type: string) => windowListeners.get(type)?.({}),
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
