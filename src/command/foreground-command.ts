import { formatError } from '../config/config-error.ts';
import { claimFolder } from '../host/run-folder.ts';
import { BAD_CONFIG, type Command, FAILED, type Place } from './command.ts';
import { folderOf, loadAgain, loadWhole, NODE_OPTIONS, nodeOptions } from './node-options.ts';
import { versionOf } from './versions-command.ts';

/** Runs the relay in this process. What comes of it ends the process with its own exit code. */
export const foregroundCommand: Command = {
  usage: [`start ${NODE_OPTIONS}`],
  run: (args, place) => start(args, place),
};

export async function start(args: readonly string[], place: Place): Promise<number> {
  const options = nodeOptions(args, [0, 0]);
  const loaded = await loadWhole(options, place);
  if (!loaded.ok) {
    for (const error of loaded.errors) place.err(formatError(error));
    return BAD_CONFIG;
  }
  for (const warning of loaded.warnings) place.err(`warning: ${formatError(warning)}`);
  const folder = folderOf(loaded.config, loaded.file);
  const claim = claimFolder(folder);
  if (claim.kind === 'taken') {
    place.err(`${loaded.config.node} is already running as pid ${claim.pid}`);
    return FAILED;
  }
  // Loaded here, because all the other commands do without a relay.
  const { run } = await import('../host/running.ts');
  run({
    config: loaded.config,
    plugins: loaded.plugins,
    closed: loaded.closed,
    version: versionOf(place.packageRoot),
    folder,
    unusable: claim.kind === 'unusable' ? claim.why : null,
    load: () => loadAgain(options, place),
  });
  // The relay ends the process, with the exit code of its own end.
  return new Promise(() => undefined);
}
