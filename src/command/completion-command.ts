import { argumentsIn, BadUsage, type Command, DONE } from './command.ts';
import { completionScript, shells, type Word } from './completion.ts';

/** Says what a shell is to know of the words of the command line. */
export function completionCommand(words: () => readonly Word[]): Command {
  return {
    usage: ['completion bash|zsh'],
    help: {
      about: ['Prints the completion of commands and options for a shell.'],
      options: {},
      example: 'completion bash > ~/.local/share/bash-completion/completions/fanfare',
    },
    async run(args, { out }) {
      const { positionals } = argumentsIn(args, {});
      const shell = shells.find((one) => one === positionals[0]);
      if (shell === undefined || positionals.length > 1) throw new BadUsage();
      out(completionScript(shell, words()));
      return DONE;
    },
  };
}
