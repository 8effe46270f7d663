import { NodeClient } from '../attach/client/node-client.ts';
import { attachTerminal } from '../attach/client/terminal.ts';
import { help } from '../attach/operations.ts';
import { flowValue, type Style } from '../attach/protocol.ts';
import { askerOf } from './audit.ts';
import { BAD_CONFIG, BadUsage, DONE, FAILED, Failed, NOT_YET, type Place } from './command.ts';
import { noProcess } from './lifecycle-command.ts';
import {
  findNode,
  type NodeOptions,
  nodeCommand,
  type SettingsOptions,
  settingsOptions,
} from './node-options.ts';

/** A line editor on the live node. */
export async function attach(options: NodeOptions, place: Place): Promise<number> {
  return attachTerminal(await connectedNode(options, place, 'prompt'), place.input, process.stdout);
}

export const attachCommand = nodeCommand('attach', attach);

export const evalCommand = nodeCommand(
  'eval [--json] EXPRESSION',
  (options, place) =>
    once(options, place, (client, style) =>
      client.evaluate(options.words[0] as string, style, process.stdout.columns),
    ),
  [1, 1],
);

/** Arguments are JSON; what is none is the text that it is, so that refs need no quotes. */
export const rpcCommand = nodeCommand(
  'rpc [--json] NAME [JSON…]',
  (options, place) => {
    const [name = '', ...rest] = options.words;
    const args = rest.map(argument);
    return once(options, place, (client, style) => client.call(name, args, style, process.stdout.columns));
  },
  [1, 20],
  {
    about: [
      'Does one operation of the prompt of `attach`, and prints what it says. What it takes is JSON, or a text without quotes.',
      '',
      help(),
    ],
    options: {
      ...settingsOptions,
      json: { type: 'boolean', about: 'prints one line of JSON' },
    },
    example: `rpc topics '{"by":"members","n":5}'`,
  },
);

/** The node reads its configuration again. Where nobody can attach it is told by a signal, and answers in its log. */
export const reloadCommand = nodeCommand('reload', async (options, place) => {
  const found = findNode(options, place);
  const pid = found.pid ?? (await noProcess(found, place.out, NOT_YET));
  const client = await NodeClient.connect(found.folder, askerOf('command', place));
  if (client === undefined) {
    process.kill(pid, 'SIGHUP');
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
    place.err('nothing was changed');
    return BAD_CONFIG;
  }
  if (applied.length + reread.length + needsRestart.length === 0) place.out('nothing has changed');
  return DONE;
});

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
  const client = await connectedNode(options, place);
  client.onSay = (text) => place.err(text);
  const { ok, text } = await ask(client, options.json ? 'json' : 'shell');
  client.close();
  if (ok) place.out(text);
  else place.err(text);
  return ok ? DONE : FAILED;
}

/** The way to the live node of these options. Without one the command ends. */
export async function connectedNode(
  options: SettingsOptions,
  place: Place,
  by: 'prompt' | 'command' = 'command',
): Promise<NodeClient> {
  const found = findNode(options, place);
  const pid = found.pid ?? (await noProcess(found, place.err, NOT_YET));
  const client = await NodeClient.connect(found.folder, askerOf(by, place));
  if (client !== undefined) return client;
  throw new Failed(
    NOT_YET,
    `pid ${pid} runs, but nobody can attach to it (attach.enabled, or another user's)`,
  );
}

function argument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/^[[{"]/.test(text)) return text;
  }
  try {
    // {by: members} is what people type.
    return flowValue(text);
  } catch {
    throw new BadUsage(`not JSON: ${text.slice(0, 100)}`);
  }
}
