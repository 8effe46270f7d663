import { formatError } from '../config/config-error.ts';
import { BAD_CONFIG, type Command, DONE } from './command.ts';
import { loadWhole, NODE_OPTIONS, nodeOptions } from './node-options.ts';

export const checkCommand: Command = {
  usage: [`check ${NODE_OPTIONS}`],
  async run(args, place) {
    const loaded = await loadWhole(nodeOptions(args, [0, 0]), place);
    if (!loaded.ok) {
      for (const error of loaded.errors) place.err(formatError(error));
      return BAD_CONFIG;
    }
    for (const warning of loaded.warnings) place.err(`warning: ${formatError(warning)}`);
    place.out(`${loaded.file}: ok`);
    return DONE;
  },
};
