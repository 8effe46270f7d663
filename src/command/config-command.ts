import { readFileSync } from 'node:fs';
import { type Difference, differences, type Effective } from '../config/effective.ts';
import { connectedNode } from './attach-command.ts';
import {
  argumentsIn,
  BadUsage,
  type Command,
  DONE,
  FAILED,
  Failed,
  type OptionTable,
  type Place,
} from './command.ts';
import { load, type SettingsOptions, settingsOptions } from './node-options.ts';

const options = {
  running: { type: 'boolean', about: 'the settings of the relay that runs' },
  diff: { type: 'boolean', about: 'what a reload or a restart would change in the relay that runs' },
  against: {
    type: 'string',
    value: 'FILE.json',
    about: 'compare with what `config show --json` has said elsewhere, such as on another relay',
  },
  json: { type: 'boolean', about: 'one line of JSON' },
  ...settingsOptions,
} as const satisfies OptionTable;

/**
 * Shows the settings as they count, and where each comes from: those that a start would have, or those of the relay that
 * runs. `--diff`: what differs between the two.
 */
export const configCommand: Command = {
  usage: [
    'config show [--running] [--json] [--config FILE] [--set KEY=VALUE]',
    'config show --diff [--against FILE.json] [--json] [--config FILE] [--set KEY=VALUE]',
  ],
  async run(args, place) {
    const { values, positionals } = argumentsIn(args, options);
    if (positionals.length !== 1 || positionals[0] !== 'show') throw new BadUsage();
    const { running = false, diff = false, json = false, against } = values;
    if (against !== undefined && !diff) throw new BadUsage('--against is for --diff');
    if (diff && running && against === undefined)
      throw new BadUsage('--diff compares with the relay that runs; --running is for --against');
    const settings: SettingsOptions = { config: values.config, set: values.set ?? [] };
    const written = () => load(settings, place).effective;
    if (!diff) {
      const rows = running ? await ofRunning(settings, place) : written();
      tell(place, json, rows, ({ key, value, from }) => [`${key}: ${value}`, from]);
      return DONE;
    }
    const other = against === undefined ? await ofRunning(settings, place) : ofFile(against);
    const own = running ? await ofRunning(settings, place) : written();
    const rows = differences(other, own);
    tell(place, json, rows, ({ key, before, after, from }) => [`${key}: ${before} -> ${after}`, from]);
    return rows.length === 0 ? DONE : FAILED;
  },
  help: {
    about: [
      'The settings as they count: all keys, with the file and line, the variable or the flag that has set each, or default.',
      'Secrets are hidden, and never compared. --diff ends with 1 where something differs.',
    ],
    options,
    example: 'config show --diff --config /etc/fanfare/relay.yaml',
  },
};

function tell<T extends Effective | Difference>(
  { out }: Place,
  json: boolean,
  rows: readonly T[],
  line: (row: T) => readonly [text: string, from: string],
): void {
  if (json) {
    out(JSON.stringify(rows));
    return;
  }
  const lines = rows.map(line);
  const width = Math.min(WIDEST, Math.max(0, ...lines.map(([text]) => text.length)));
  for (const [text, from] of lines) out(`${text.padEnd(width)}  # ${from}`);
}

/** Characters of a setting beside which its source stands in a column. */
const WIDEST = 60;

async function ofRunning(settings: SettingsOptions, place: Place): Promise<readonly Effective[]> {
  const client = await connectedNode(settings, place);
  const { ok, text } = await client.call('config', [], 'json');
  client.close();
  if (!ok) throw new Failed(FAILED, text);
  return rowsIn(text, 'the relay');
}

function ofFile(file: string): readonly Effective[] {
  try {
    return rowsIn(readFileSync(file, 'utf8'), file);
  } catch (error) {
    throw error instanceof Failed ? error : new Failed(FAILED, `${file}: ${(error as Error).message}`);
  }
}

function rowsIn(text: string, whose: string): readonly Effective[] {
  try {
    const rows: unknown = JSON.parse(text);
    if (Array.isArray(rows) && rows.every(isRow)) return rows;
  } catch {
    // It is said below.
  }
  throw new Failed(FAILED, `${whose}: not the output of config show --json`);
}

function isRow(row: unknown): row is Effective {
  const { key, value, from } = (row ?? {}) as Readonly<Record<string, unknown>>;
  return [key, value, from].every((text) => typeof text === 'string');
}
