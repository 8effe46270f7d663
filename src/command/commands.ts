import { apikeyCommand } from './apikey-command.ts';
import { BadUsage, type Command, FAILED, type Place, usageOf } from './command.ts';
import { passwordCommand } from './password-command.ts';

/** By the first word of the command line. */
export const commands: ReadonlyMap<string, Command> = new Map([
  ['apikey', apikeyCommand],
  ['password', passwordCommand],
]);

/** The exit code. */
export async function runCommand(command: Command, args: readonly string[], place: Place): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    place.out(usageOf(command));
    return 0;
  }
  try {
    return await command.run(args, place);
  } catch (error) {
    if (!(error instanceof BadUsage)) throw error;
    if (error.message !== '') place.err(error.message);
    place.err(usageOf(command));
    return FAILED;
  }
}
