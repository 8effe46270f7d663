import { csvIn, everyPage } from '../attach/client/listing.ts';
import { NodeClient, SilentNode } from '../attach/client/node-client.ts';
import { attachTerminal } from '../attach/client/terminal.ts';
import { help } from '../attach/operations.ts';
import { type Asker, flowValue, type Style } from '../attach/protocol.ts';
import { askerOf } from './audit.ts';
import {
  argumentsIn,
  BAD_CONFIG,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  NOT_YET,
  type OptionTable,
  type Place,
} from './command.ts';
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

const rpcOptions = {
  json: { type: 'boolean', about: 'prints one line of JSON' },
  csv: { type: 'boolean', about: 'prints a list as CSV, its first line the names of the fields' },
  all: { type: 'boolean', about: 'all pages of a list, for --json and --csv' },
  ...settingsOptions,
} as const satisfies OptionTable;

/** Arguments are JSON; what is none is the text that it is, so that refs need no quotes. */
export const rpcCommand: Command = {
  usage: ['rpc [--json|--csv] [--all] [--config FILE] [--set KEY=VALUE] NAME [JSON…]'],
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, rpcOptions);
    const { json = false, csv = false, all = false } = values;
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length >= 20) throw new BadUsage();
    if (json && csv) throw new BadUsage('--json and --csv are two ways to print a list');
    if (all && !json && !csv) throw new BadUsage('--all is for --json and --csv');
    const given = rest.map(argument);
    const settings = { config: values.config, set: values.set ?? [], json: json || csv };
    return once(settings, place, async (client, style) => {
      const outcome = all
        ? await everyPage(client, name, given)
        : await client.call(name, given, style, process.stdout.columns);
      if (!csv || !outcome.ok) return outcome;
      const list = csvIn(outcome.text);
      if (list === null) return { ok: false, text: `${name} is no list: --json prints it` };
      if (list.leftOut.length > 0)
        place.err(`left out, as each is a list of its own, which --json prints: ${list.leftOut.join(', ')}`);
      return { ok: true, text: list.text };
    });
  },
  help: {
    about: [
      'Does one operation of the prompt of `attach`, and prints what it says. What it takes is JSON, or a text without quotes.',
      '',
      help(),
    ],
    options: rpcOptions,
    example: `rpc topics '{"by":"members","n":5}'`,
  },
};

/** The node reads its configuration again. Where nobody can attach it is told by a signal, and answers in its log. */
export const reloadCommand = nodeCommand('reload', async (options, place) => {
  const found = findNode(options, place);
  const pid = found.pid ?? (await noProcess(found, place.out, NOT_YET));
  const client = await clientOf(found.folder, pid, askerOf('command', place));
  if (client === undefined) {
    process.kill(pid, 'SIGHUP');
    place.out('asked; the outcome is in its log');
    return DONE;
  }
  const { ok, text } = await client.call('reload', [], 'json');
  client.close();
  if (client.isSilent) throw new Failed(NOT_YET, text);
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
  options: SettingsOptions & { readonly json: boolean },
  place: Place,
  ask: (client: NodeClient, style: Style) => Promise<{ readonly ok: boolean; readonly text: string }>,
): Promise<number> {
  const client = await connectedNode(options, place);
  client.onSay = (text) => place.err(text);
  const { ok, text } = await ask(client, options.json ? 'json' : 'shell');
  client.close();
  if (ok) place.out(text);
  else place.err(text);
  if (client.isSilent) return NOT_YET;
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
  const client = await clientOf(found.folder, pid, askerOf(by, place));
  if (client !== undefined) return client;
  throw new Failed(
    NOT_YET,
    `pid ${pid} runs, but nobody can attach to it (attach.enabled, or another user's)`,
  );
}

/** A node that says nothing ends the command. */
async function clientOf(folder: string, pid: number, asker: Asker): Promise<NodeClient | undefined> {
  try {
    return await NodeClient.connect(folder, asker);
  } catch (error) {
    if (!(error instanceof SilentNode)) throw error;
    throw new Failed(NOT_YET, `pid ${pid} runs, but ${error.message}; report packs what there is of it`);
  }
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
