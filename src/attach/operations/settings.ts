import { OwnWords, redactText } from '../../secret/redaction.ts';
import { inOwnWords, type NodeView, Refusal, type Reloaded, type Setting } from '../../view/relay-view.ts';
import { left, safeLine, tableWithin } from '../text.ts';
import { word } from './given.ts';
import { type Operation, operation } from './operation.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const settingOperations: readonly Operation[] = [
  operation({
    usage: 'config(part)',
    takes: 'setting',
    example: "config('limits')",
    summary: 'the settings as they count now, all or a part, and where each comes from',
    run: ({ node, args }) => settingsOf(node, args[0]),
    show: (rows, width) =>
      tableWithin(
        width,
        rows,
        left('key', ({ key }) => key),
        left('value', ({ value }) => value),
        left('from', ({ from }) => from),
      ),
  }),
  operation({
    usage: 'reload()',
    isAction: true,
    summary: 'reads the configuration again; a bad one changes nothing',
    run: async ({ node, who }) => inOwnWords(await node.reload(who)),
    show: reloadText,
  }),
  operation({
    usage: "log_level('debug')",
    takes: LOG_LEVELS,
    example: "log_level('debug')",
    isAction: true,
    summary: 'says more or less in the log from now on; without a level, how much it says',
    run: ({ node, args }) => {
      if (args[0] === undefined || args[0] === null) return `the log says ${node.logLevel.get()} and above`;
      const level = word(args[0], 'the level', LOG_LEVELS);
      node.logLevel.set(level);
      return `the log says ${level} and above`;
    },
  }),
];

function settingsOf(node: NodeView, part: unknown): readonly Setting[] {
  const rows = node.settings();
  if (part === undefined) return rows;
  const found = rows.filter(({ key }) => key === part || key.startsWith(`${String(part)}.`));
  if (found.length === 0) throw new Refusal(`there is no key ${String(part)}`);
  return found;
}

function reloadText({ ok, errors, applied, reread, needsRestart }: Reloaded): OwnWords {
  const lines = errors.map((error) => (typeof error === 'string' ? redactText(error) : String(error)));
  if (applied.length > 0) lines.push(`applied: ${applied.join(', ')}`);
  if (reread.length > 0) lines.push(`read anew: ${reread.join(', ')}`);
  if (needsRestart.length > 0) lines.push(`needs a restart: ${needsRestart.join(', ')}`);
  if (!ok) lines.push('nothing was changed');
  if (lines.length === 0) lines.push('nothing has changed');
  return new OwnWords(lines.map(safeLine).join('\n'));
}
