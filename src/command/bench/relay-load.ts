import { NodeClient, SilentNode } from '../../attach/client/node-client.ts';
import type { Asker } from '../../attach/protocol.ts';

/** Milliseconds between two looks. */
const PERIOD = 500;
const MOST_LOOKS = 1000;

/** How busy the event loop of a relay on this machine is, seen through its socket for operators. */
export class RelayLoad {
  readonly #client: NodeClient;
  readonly #looks: Promise<number | null>;

  private constructor(client: NodeClient, milliseconds: number) {
    this.#client = client;
    const looks = Math.min(MOST_LOOKS, Math.max(1, Math.floor(milliseconds / PERIOD)));
    this.#looks = client
      .call('node_stats', [looks, PERIOD], 'json')
      .then(({ ok, text }) => (ok ? meanOf(text) : null));
  }

  /** Watches for so long. Null: nobody can look into that relay from here. */
  static async watch(folder: string, asker: Asker, milliseconds: number): Promise<RelayLoad | null> {
    try {
      const client = await NodeClient.connect(folder, asker);
      return client === undefined ? null : new RelayLoad(client, milliseconds);
    } catch (error) {
      if (error instanceof SilentNode) return null;
      throw error;
    }
  }

  /** The mean, from 0 to 1; null: it is not known. */
  async busy(): Promise<number | null> {
    const mean = await this.#looks;
    this.close();
    return mean;
  }

  /** A watch that is not over is given up. */
  close(): void {
    this.#client.close();
  }
}

function meanOf(json: string): number | null {
  const samples = JSON.parse(json) as readonly { readonly utilisation: number }[];
  if (samples.length === 0) return null;
  return samples.reduce((sum, { utilisation }) => sum + utilisation, 0) / samples.length;
}
