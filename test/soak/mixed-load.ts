import { WebSocket } from 'ws';

/**
 * Clients of all kinds at once: most stay, subscribe and publish; some come and go, break off without a word, stop
 * reading until they are closed, or post once.
 */
export class MixedLoad {
  readonly #pusu: number;
  readonly #pinghub: number;
  readonly #clients: number;
  readonly #open = new Set<WebSocket>();
  readonly #timers: NodeJS.Timeout[] = [];
  #stopping = false;
  #made = 0;

  constructor(pusu: number, pinghub: number, clients: number) {
    this.#pusu = pusu;
    this.#pinghub = pinghub;
    this.#clients = clients;
  }

  start(): void {
    this.#every(50, () => {
      if (this.#open.size < this.#clients) for (let i = 0; i < 5; i++) this.#connect();
    });
    this.#every(20, () => this.#publish());
    this.#every(200, () => this.#leave());
    this.#every(2000, () => this.#any()?.pause());
    this.#every(500, () => void this.#post());
  }

  /** Ends all clients, and waits until they are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    const gone = [...this.#open].map((one) => new Promise((resolve) => one.once('close', resolve)));
    for (const one of this.#open) one.terminate();
    await Promise.all(gone);
  }

  #every(period: number, act: () => void): void {
    this.#timers.push(setInterval(act, period));
  }

  #connect(): void {
    const number = this.#made++;
    const topic = number % 3 === 0 ? 'everybody' : `room-${Math.floor(Math.random() * 2000)}`;
    const isPusu = number % 2 === 0;
    const address = isPusu ? `ws://127.0.0.1:${this.#pusu}/` : `ws://127.0.0.1:${this.#pinghub}/${topic}`;
    const client = new WebSocket(address, { perMessageDeflate: false });
    this.#open.add(client);
    client.on('error', () => undefined);
    client.on('close', () => this.#open.delete(client));
    client.on('open', () => {
      if (this.#stopping) client.terminate();
      else if (isPusu) client.send(JSON.stringify({ type: 'subscribe', channel: topic }));
      Object.assign(client, { topic: isPusu ? topic : null });
    });
  }

  #publish(): void {
    for (let i = 0; i < 4; i++) {
      const client = this.#any();
      if (client?.readyState !== WebSocket.OPEN) continue;
      const { topic } = client as { readonly topic?: string | null };
      const text = 'x'.repeat(Math.floor(Math.random() * 2000));
      client.send(
        typeof topic === 'string'
          ? JSON.stringify({ type: 'publish', channel: topic, content: text })
          : `m${text}`,
      );
    }
  }

  #leave(): void {
    const client = this.#any();
    if (client?.readyState !== WebSocket.OPEN) return;
    if (Math.random() < 0.5) client.close();
    else client.terminate();
  }

  async #post(): Promise<void> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#pinghub}/everybody`, {
        method: 'POST',
        body: 'posted',
      });
      await answer.text();
    } catch {
      // The relay may be ending.
    }
  }

  #any(): WebSocket | undefined {
    const at = Math.floor(Math.random() * this.#open.size);
    let index = 0;
    for (const one of this.#open) if (index++ === at) return one;
    return undefined;
  }
}
