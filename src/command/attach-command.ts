import { parse } from 'yaml';
import { NodeClient } from '../attach/client/node-client.ts';
import { attachTerminal } from '../attach/client/terminal.ts';
import type { Style } from '../attach/protocol.ts';
import { BAD_CONFIG, BadUsage, type Command, DONE, FAILED, type Place } from './command.ts';
import { tellNoProcess } from './lifecycle-command.ts';
import { findNode, NODE_OPTIONS, type NodeOptions, nodeOptions } from './node-options.ts';

export const attachCommand: Command = {
  usage: [`attach ${NODE_OPTIONS}`],
  run: (args, place) => attach(nodeOptions(args), place),
};

/** A line editor on the live node. */
export async function attach(options: NodeOptions, place: Place): Promise<number> {
  const client = await connected(options, place);
  if (typeof client === 'number') return client;
  return attachTerminal(client, place.input, process.stdout);
}

export const evalCommand: Command = {
  usage: [`eval ${NODE_OPTIONS} [--json] EXPRESSION`],
  run: (args, place) => {
    const options = nodeOptions(args, [1, 1]);
    return once(options, place, (client, style) => client.evaluate(options.words[0] as string, style));
  },
};

/** Arguments are JSON; what is none is the text that it is, so that refs need no quotes. */
export const rpcCommand: Command = {
  usage: [`rpc ${NODE_OPTIONS} [--json] NAME [JSON…]`],
  run: (args, place) => {
    const options = nodeOptions(args, [1, 20]);
    const [name = '', ...rest] = options.words;
    return once(options, place, (client, style) => client.call(name, rest.map(argument), style));
  },
};

/** The node reads its configuration again. Where nobody can attach it is told by a signal, and answers in its log. */
export const reloadCommand: Command = {
  usage: [`reload ${NODE_OPTIONS}`],
  async run(args, place) {
    const options = nodeOptions(args);
    const found = findNode(options, place);
    if (found === null) return BAD_CONFIG;
    if (found.pid === undefined) {
      await tellNoProcess(found, place, place.out);
      return FAILED;
    }
    const client = await NodeClient.connect(found.folder);
    if (client === undefined) {
      process.kill(found.pid, 'SIGHUP');
      place.out('asked; the outcome is in its log');
      return DONE;
    }
    const { ok, text } = await client.call('reload', [], 'json');
    client.close();
    const reloaded = ok ? (JSON.parse(text) as Reloaded) : null;
    for (const error of reloaded?.errors ?? [text]) place.err(error);
    if (reloaded === null) return FAILED;
    const { applied, reread, needsRestart } = reloaded;
    if (applied.length > 0) place.out(`applied: ${applied.join(', ')}`);
    if (reread.length > 0) place.out(`read anew: ${reread.join(', ')}`);
    if (needsRestart.length > 0) place.out(`needs a restart: ${needsRestart.join(', ')}`);
    if (!reloaded.ok) {
      if (applied.length === 0) place.err('nothing was changed');
      return applied.length === 0 && needsRestart.length === 0 ? BAD_CONFIG : FAILED;
    }
    if (applied.length + reread.length + needsRestart.length === 0) place.out('nothing has changed');
    return DONE;
  },
};

interface Reloaded {
  readonly ok: boolean;
  readonly errors: readonly string[];
  readonly applied: readonly string[];
  readonly reread: readonly string[];
  readonly needsRestart: readonly string[];
}

async function once(
  options: NodeOptions,
  place: Place,
  ask: (client: NodeClient, style: Style) => Promise<{ readonly ok: boolean; readonly text: string }>,
): Promise<number> {
  const client = await connected(options, place);
  if (typeof client === 'number') return client;
  client.onSay = (text) => place.err(text);
  const { ok, text } = await ask(client, options.json ? 'json' : 'line');
  client.close();
  if (ok) place.out(text);
  else place.err(text);
  return ok ? DONE : FAILED;
}

async function connected(options: NodeOptions, place: Place): Promise<NodeClient | number> {
  const found = findNode(options, place);
  if (found === null) return BAD_CONFIG;
  if (found.pid === undefined) {
    await tellNoProcess(found, place, place.err);
    return FAILED;
  }
  const client = await NodeClient.connect(found.folder);
  if (client !== undefined) return client;
  place.err(`pid ${found.pid} runs, but nobody can attach to it (attach.enabled, or another user's)`);
  return FAILED;
}

function argument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/^[[{"]/.test(text)) return text;
  }
  try {
    // {by: members} is what people type.
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch {
    throw new BadUsage(`not JSON: ${text.slice(0, 100)}`);
  }
}
