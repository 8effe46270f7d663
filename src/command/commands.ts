import { redactText } from '../secret/redaction.ts';
import { apikeyCommand } from './apikey-command.ts';
import { attachCommand, evalCommand, reloadCommand, rpcCommand } from './attach-command.ts';
import { checkCommand } from './check-command.ts';
import { BadUsage, type Command, FAILED, type Place, usageOf } from './command.ts';
import { consoleCommand, daemonCommand, restartCommand } from './daemon-command.ts';
import { foregroundCommand } from './foreground-command.ts';
import { pidCommand, pingCommand, statusCommand, stopCommand } from './lifecycle-command.ts';
import { passwordCommand } from './password-command.ts';
import { versionCommand, versionsCommand } from './versions-command.ts';

/** By the first word of the command line. */
export const commands: ReadonlyMap<string, Command> = new Map([
  ['start', foregroundCommand],
  ['foreground', foregroundCommand],
  ['console', consoleCommand],
  ['daemon', daemonCommand],
  ['stop', stopCommand],
  ['restart', restartCommand],
  ['ping', pingCommand],
  ['pid', pidCommand],
  ['status', statusCommand],
  ['attach', attachCommand],
  ['remote_console', attachCommand],
  ['remote', attachCommand],
  ['eval', evalCommand],
  ['rpc', rpcCommand],
  ['reload', reloadCommand],
  ['check', checkCommand],
  ['version', versionCommand],
  ['versions', versionsCommand],
  ['apikey', apikeyCommand],
  ['password', passwordCommand],
]);

/** The exit code. */
export async function runCommand(command: Command, args: readonly string[], place: Place): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    place.out(usageOf(command, place));
    return 0;
  }
  try {
    return await command.run(args, place);
  } catch (error) {
    if (!(error instanceof BadUsage)) throw error;
    if (error.message !== '') place.err(redactText(error.message));
    place.err(usageOf(command, place));
    return FAILED;
  }
}
