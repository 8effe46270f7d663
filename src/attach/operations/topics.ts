import { size } from '../../measure/size.ts';
import { members } from '../../view/connections.ts';
import { keptMessages, keptTopics } from '../../view/kept.ts';
import { Refusal } from '../../view/relay-view.ts';
import { pause } from '../../view/runtime.ts';
import { publish, topics, trafficSoFar } from '../../view/topics.ts';
import {
  counts,
  known,
  left,
  pageText,
  rateOf,
  right,
  safeLine,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
  whole,
  wrapped,
} from '../text.ts';
import { fields, type OptionTable, PAGE_OPTIONS, pageWanted, ROWS, rows, windowOf, word } from './given.ts';
import { type Operation, operation } from './operation.ts';

const topicsOptions = {
  by: {
    about: 'the order',
    words: ['rate', 'deliveries', 'members', 'queue', 'handled', 'kept', 'keptBytes', 'name'],
  },
  ...PAGE_OPTIONS,
  window: { about: 'ms in which rates are measured: 1000, or 0 for none' },
} as const satisfies OptionTable;

export const topicOperations: readonly Operation[] = [
  operation({
    usage: "topics({by: 'rate', n: 20, offset: 0, window: 1000})",
    options: topicsOptions,
    example: "topics({by: 'queue', n: 5})",
    summary: 'the live topics, by rate, deliveries, members, queue, kept or name',
    isRefreshed: true,
    run: ({ node, args, signal }) => {
      const { by, n, offset, window } = fields(args[0], topicsOptions);
      const order = word(by, 'by', topicsOptions.by.words);
      const wanted = pageWanted(n, offset);
      const period = windowOf(window, order === 'rate' || order === 'deliveries');
      if (period === 0) return topics(node, order, wanted);
      const since = trafficSoFar(node);
      return pause(period, signal).then(() => topics(node, order, wanted, since));
    },
    show: (page, width) =>
      [
        pageText(
          width,
          page,
          'topics',
          ...texts('topic'),
          ...texts('ref').map(spare),
          ...counts('members'),
          right('in/s', ({ rate }) => known(rate, rateOf)),
          right('out/s', ({ deliveries }) => known(deliveries, rateOf)),
          ...counts('queue', 'behind'),
          ...counts('handled', 'kept').map(spare),
          spareRight('bytes', ({ keptBytes }) => known(keptBytes, size)),
          left('owner', ({ owner }) => owner ?? ''),
        ),
        ...page.rows.flatMap((row) =>
          row.heldBy === null ? [] : [wrapped(heldText(row, row.heldBy), width)],
        ),
      ].join('\n'),
  }),
  operation({
    usage: 'history(topic, n) or history({n: 20, offset: 0})',
    takes: 'topic',
    options: PAGE_OPTIONS,
    example: "history('topic:main:chat', 5)",
    summary: 'the last messages that are kept of a topic; or of which topics most is kept',
    run: ({ node, args }) => {
      const [first, second] = args;
      if (typeof first === 'string') return keptMessages(node, first, rows(second, ROWS));
      const { n, offset } = fields(first, PAGE_OPTIONS);
      return keptTopics(node, pageWanted(n, offset));
    },
    show: (data, width) =>
      'at' in data
        ? `${wrapped(`${safeLine(data.topic)}: ${whole(data.messages)} messages and ${size(data.bytes)} are kept, the last at ${data.at}`, width)}\n${tableWithin(
            width,
            data.rows,
            ...texts('at'),
            left('time', ({ time }) => new Date(time).toISOString()),
            ...texts('kind'),
            ...counts('bytes', 'missed'),
          )}`
        : pageText(
            width,
            data,
            'topics',
            ...texts('topic', 'at'),
            ...counts('messages'),
            ...sizes('bytes'),
            left('', ({ live }) => (live ? 'live' : '')),
          ),
  }),
  operation({
    usage: 'members(topic, {n: 20, offset: 0})',
    takes: 'topic',
    options: PAGE_OPTIONS,
    example: "members('topic:main:chat', {n: 5})",
    needs: 1,
    summary: 'who is in a topic',
    run: ({ node, args }) => {
      const { n, offset } = fields(args[1], PAGE_OPTIONS);
      return members(node, args[0], pageWanted(n, offset));
    },
    show: (page, width) =>
      pageText(
        width,
        page,
        `members of ${safeLine(page.topic)}`,
        ...texts('ref', 'door', 'address', 'format'),
        ...sizes('pending'),
        left('', ({ behind }) => (behind ? 'behind' : '')),
      ),
  }),
  operation({
    usage: "publish('topic:main:chat', message)",
    takes: 'topic',
    example: "publish('topic:main:chat', {hello: 'all'})",
    isAction: true,
    shownArguments: 1,
    needs: 2,
    summary: 'publishes a text, or the JSON of anything else',
    run: ({ node, args, publisher }) => {
      const from = publisher();
      if (from === undefined) throw new Refusal('attach is just being restarted; try again');
      return publish(node, args[0], args[1], from);
    },
  }),
];

function heldText(
  { topic, queue, behind }: Readonly<Record<'queue' | 'behind', number>> & { readonly topic: string },
  heldBy: string,
): string {
  const read = behind === 1 ? 'reads' : 'read';
  const wait = queue === 1 ? '1 message waits' : `${whole(queue)} messages wait`;
  return `${safeLine(topic)} is held back by ${heldBy}, which ${read} too slowly: ${wait}`;
}
