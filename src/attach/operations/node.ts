import { size } from '../../measure/size.ts';
import { binLeak, nodeStats, runtimeInfo } from '../../view/runtime.ts';
import {
  counts,
  duration,
  fieldLines,
  fieldsOf,
  left,
  right,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
} from '../text.ts';
import { count, fields, LONGEST, type OptionTable, rows, SECOND } from './given.ts';
import { type Operation, operation } from './operation.ts';

const confirmOption = {
  confirm: { about: 'it is meant', isSwitch: true },
} as const satisfies OptionTable;

export const nodeOperations: readonly Operation[] = [
  operation({
    usage: 'node_stats(n, ms)',
    example: 'node_stats(10, 1000)',
    summary: 'n looks at traffic, memory and the event loop, ms apart',
    isRefreshed: true,
    run: ({ node, args, signal }) =>
      nodeStats(node, rows(args[0], 5), count(args[1], 'ms', SECOND, LONGEST), signal),
    show: (samples, width) =>
      tableWithin(
        width,
        samples,
        right('at', ({ at }) => `${at}s`),
        ...counts('messages', 'delivered', 'dropped'),
        ...counts('processes').map(spare),
        right('memory', ({ rss }) => size(rss)),
        spareRight('heap', ({ heapUsed }) => size(heapUsed)),
        right('loop delay', ({ loopDelay }) => `${loopDelay}ms`),
        right('busy', ({ utilisation }) => `${Math.round(utilisation * 100)}%`),
      ),
  }),
  operation({
    usage: 'runtime_info()',
    summary: 'version, memory, counts and what the event loop waits for',
    run: ({ node }) => runtimeInfo(node),
    show: ({ memory, resources, uptime, pid, ...rest }, width) => {
      const kinds = Object.entries(resources).map(([kind, number]) => `${number} ${kind}`);
      return fieldLines(
        [
          // A name, not a quantity: as the shell wants it.
          ['pid', String(pid)],
          ...fieldsOf(rest),
          ['up', duration(uptime * 1000)],
          ...Object.entries(memory).map(([name, bytes]) => [name, size(bytes)] as const),
          ['resources', kinds.join(', ')],
        ],
        width,
      );
    },
  }),
  operation({
    usage: 'bin_leak(n)',
    example: 'bin_leak(5)',
    summary: 'collects garbage, which stops the relay for a moment; who holds most bytes',
    run: ({ node, args }) => binLeak(node, rows(args[0], 10)),
    show: ({ before, after, released, holders }, width) => {
      const head = `${size(before)} outside the heap, ${size(after)} after a collection: ${size(released)} released`;
      return `${head}\n${tableWithin(
        width,
        holders,
        ...texts('ref'),
        ...sizes('bytes'),
        left('', ({ what }) => what),
      )}`;
    },
  }),
  operation({
    usage: 'init.stop({confirm: true})',
    options: confirmOption,
    example: 'init.stop({confirm: true})',
    isAction: true,
    summary: 'drains and stops the whole relay',
    run: ({ node, args }) => {
      if (fields(args[0], confirmOption).confirm !== true) {
        return 'this would stop the whole relay; to do so: init.stop({confirm: true})';
      }
      node.stop();
      return 'stopping';
    },
  }),
];
