import { disconnect } from '../../view/connections.ts';
import { Refusal } from '../../view/node-view.ts';
import * as processes from '../../view/processes.ts';
import { publish } from '../../view/topics.ts';
import { reloadText } from '../format/views.ts';
import { fields, word } from './arguments.ts';

import { type Operation, operation, text } from './operation.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Those that change something. */
export const acting: readonly Operation[] = [
  operation({
    name: 'suspend',
    usage: 'suspend(ref)',
    summary: 'a process handles no messages until resume; supervisors only with {force: true}',
    run: ({ node, args }) => processes.suspend(node, args[0], fields(args[1])['force'] === true),
    show: text,
  }),
  operation({
    name: 'resume',
    usage: 'resume(ref)',
    summary: 'a suspended process goes on',
    run: ({ node, args }) => processes.resume(node, args[0]),
    show: text,
  }),
  operation({
    name: 'kill',
    usage: 'kill(ref, {force: true})',
    summary: 'ends a process as a crash would; supervisors only with force',
    run: ({ node, args }) => processes.kill(node, args[0], fields(args[1])['force'] === true),
    show: text,
  }),
  operation({
    name: 'disconnect',
    usage: 'disconnect(ref, reason)',
    summary: 'closes a connection with 1001 and a reason',
    run: ({ node, args }) => disconnect(node, args[0], args[1]),
    show: text,
  }),
  operation({
    name: 'publish',
    usage: "publish('topic:main:chat', message)",
    summary: 'publishes a text, or the JSON of anything else',
    run: ({ node, args, publisher }) => {
      const from = publisher();
      if (from === undefined) throw new Refusal('attach is just being restarted; try again');
      return publish(node, args[0], args[1], from);
    },
    show: text,
  }),
  operation({
    name: 'reload',
    usage: 'reload()',
    summary: 'reads the configuration again; a bad one changes nothing',
    run: ({ node }) => node.reload(),
    show: reloadText,
  }),
  operation({
    name: 'log_level',
    usage: "log_level('debug')",
    summary: 'says more or less in the log from now on; without an argument, how much it says',
    run: ({ node, args }) => {
      if (args[0] === undefined) return `the log says ${node.logLevel.get()} and above`;
      const level = word(args[0], 'the level', LOG_LEVELS, 'info');
      node.logLevel.set(level);
      return `the log says ${level} and above`;
    },
    show: text,
  }),
  operation({
    name: 'init.stop',
    usage: 'init.stop({confirm: true})',
    summary: 'drains and stops the whole relay',
    run: ({ node, args }) => {
      if (fields(args[0])['confirm'] !== true) {
        return 'this would stop the whole relay; to do so: init.stop({confirm: true})';
      }
      node.stop();
      return 'stopping';
    },
    show: text,
  }),
];
