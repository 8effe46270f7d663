import { createReadStream } from 'node:fs';
import { safeJson, safeLine } from '../attach/text.ts';
import { type Difference, differences, type Effective, HIDDEN, secretInBoth } from '../config/effective.ts';
import { connectedNode } from './attach-command.ts';
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
import { wholeOf } from './input.ts';
import { load, type SettingsOptions, settingsOptions } from './node-options.ts';

const options = {
  running: { type: 'boolean', about: 'the settings of the relay that runs' },
  diff: {
    type: 'boolean',
    about:
      'what a reload or a restart would change in the relay that runs; with FILE, what another relay has differently',
  },
  json: { type: 'boolean', about: 'one line of JSON' },
  ...settingsOptions,
} as const satisfies OptionTable;

/**
 * Shows the settings as they count, and where each comes from: those that a start would have, or those of the relay that
 * runs. `--diff`: what differs between the two, or from those of another relay.
 */
export const configCommand: Command = {
  usage: [
    'config show [--running] [--json] [--config FILE] [--set KEY=VALUE]',
    'config show --diff [--json] [--config FILE] [--set KEY=VALUE]',
    'config show --diff FILE|- [--running] [--json] [--config FILE] [--set KEY=VALUE]',
  ],
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    const [what, file, ...rest] = positionals;
    const { running = false, diff = false, json = false } = values;
    if (what !== 'show' || rest.length > 0) throw new BadUsage();
    if (file !== undefined && !diff) throw new BadUsage('a file is compared with by --diff');
    if (diff && running && file === undefined)
      throw new BadUsage('--diff compares with the relay that runs; --running is for --diff FILE');
    const settings: SettingsOptions = { config: values.config, set: values.set ?? [] };
    // What is wrong with the input is said before a relay is asked.
    const there = file === undefined ? null : await ofPeer(file, place);
    const own = async () => (running ? ofRunning(settings, place) : load(settings, place).effective);
    if (!diff) {
      tell(place, json, await own(), ({ key, value, from }) => [`${key}: ${value}`, from]);
      return DONE;
    }
    const before = there ?? (await ofRunning(settings, place));
    const after = await own();
    const rows = differences(before, after);
    if (there === null) {
      tell(place, json, rows, ({ key, before, after, from }) => [`${key}: ${before} -> ${after}`, from]);
    } else {
      const both = secretInBoth(there, after).map((key) => ({
        key,
        before: HIDDEN,
        after: HIDDEN,
        from: 'both set, not compared',
      }));
      tell(place, json, [...rows, ...both], againstPeer);
    }
    return rows.length === 0 ? DONE : FAILED;
  },
  help: {
    about: [
      'The settings as they count: all keys, with the file and line, the variable or the flag that has set each, or default.',
      'FILE is what `config show --json` has said elsewhere, such as on another relay; - reads it from standard input.',
      'Secrets are hidden, and never compared. --diff ends with 1 where something differs.',
    ],
    options,
    example: 'config show --diff --config /etc/fanfare/relay.yaml',
  },
};

/** In front of the arrow as the other relay has it, behind it as this one. */
function againstPeer({ key, before, after, from }: Difference): readonly [text: string, from: string] {
  if (before === HIDDEN && after === HIDDEN) return [`${key}: both set, not compared`, ''];
  if (before === HIDDEN) return [`${key}: only there`, from];
  if (after === HIDDEN) return [`${key}: only here`, from];
  return [`${key}: ${before} -> ${after}`, from];
}

function tell<T extends Effective | Difference>(
  { out }: Place,
  json: boolean,
  rows: readonly T[],
  line: (row: T) => readonly [text: string, from: string],
): void {
  if (json) {
    out(safeJson(JSON.stringify(rows)));
    return;
  }
  const lines = rows.map(line).map(([text, from]) => [safeLine(text), safeLine(from)] as const);
  const width = Math.min(WIDEST, Math.max(0, ...lines.map(([text]) => text.length)));
  for (const [text, from] of lines) out(from === '' ? text : `${text.padEnd(width)}  # ${from}`);
}

/** Characters of a setting beside which its source stands in a column. */
const WIDEST = 60;

async function ofRunning(settings: SettingsOptions, place: Place): Promise<readonly Effective[]> {
  const client = await connectedNode(settings, place);
  const { ok, text } = await client.call('config', [], 'json');
  client.close();
  if (!ok) throw new Failed(client.isSilent ? NOT_YET : FAILED, text);
  return rowsIn(text, 'the relay');
}

/** The settings of another relay: a file, or `-`, standard input. */
async function ofPeer(file: string, { input }: Place): Promise<readonly Effective[]> {
  const name = file === '-' ? 'standard input' : file;
  try {
    const text = await wholeOf(file === '-' ? input : createReadStream(file), name, PEER_BYTES);
    if (text.trim() === '')
      throw new Failed(BAD_CONFIG, `${name} is empty: has the other relay said nothing?`);
    return rowsIn(text, name);
  } catch (error) {
    if (error instanceof Failed) throw new Failed(BAD_CONFIG, ...error.lines);
    throw new Failed(BAD_CONFIG, `${name}: ${(error as Error).message}`);
  }
}

/** Bytes of another relay's settings: a few dozen kilobytes, and room for lists of thousands. */
const PEER_BYTES = 4 * 1024 * 1024;

function rowsIn(text: string, whose: string): readonly Effective[] {
  try {
    const rows: unknown = JSON.parse(text);
    if (Array.isArray(rows) && rows.length > 0 && rows.every(isRow)) return rows;
  } catch {
    // It is said below.
  }
  throw new Failed(FAILED, `${whose}: not the output of config show --json`);
}

function isRow(row: unknown): row is Effective {
  const { key, value, from } = (row ?? {}) as Readonly<Record<string, unknown>>;
  return [key, value, from].every((text) => typeof text === 'string');
}
