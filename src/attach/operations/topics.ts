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
  size,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
  whole,
} from '../text.ts';
import { fields, pageWanted, ROWS, rows, windowOf, word } from './given.ts';
import { type Operation, operation } from './operation.ts';

export const topicOperations: readonly Operation[] = [
  operation({
    usage: "topics({by: 'rate', n: 20, offset: 0, window: 1000})",
    summary: 'the live topics, by rate, deliveries, members, queue, kept or name',
    isRefreshed: true,
    run: ({ node, args, signal }) => {
      const { by, n, offset, window } = fields(args[0], 'by', 'n', 'offset', 'window');
      const order = word(by, 'by', [
        'rate',
        'deliveries',
        'members',
        'queue',
        'handled',
        'kept',
        'keptBytes',
        'name',
      ]);
      const wanted = pageWanted(n, offset);
      const period = windowOf(window, order === 'rate' || order === 'deliveries');
      if (period === 0) return topics(node, order, wanted);
      const since = trafficSoFar(node);
      return pause(period, signal).then(() => topics(node, order, wanted, since));
    },
    show: (page, width) =>
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
  }),
  operation({
    usage: 'history(topic, n) or history({n: 20, offset: 0})',
    summary: 'the last messages that are kept of a topic; or of which topics most is kept',
    run: ({ node, args }) => {
      const [first, second] = args;
      if (typeof first === 'string') return keptMessages(node, first, rows(second, ROWS));
      const { n, offset } = fields(first, 'n', 'offset');
      return keptTopics(node, pageWanted(n, offset));
    },
    show: (data, width) =>
      'at' in data
        ? `${safeLine(data.topic)}: ${whole(data.messages)} messages and ${size(data.bytes)} are kept, the last at ${data.at}\n${tableWithin(
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
    usage: 'members(topic, {n: 20})',
    needs: 1,
    summary: 'who is in a topic',
    run: ({ node, args }) => members(node, args[0], rows(fields(args[1], 'n').n, ROWS)),
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
    isAction: true,
    needs: 2,
    summary: 'publishes a text, or the JSON of anything else',
    run: ({ node, args, publisher }) => {
      const from = publisher();
      if (from === undefined) throw new Refusal('attach is just being restarted; try again');
      return publish(node, args[0], args[1], from);
    },
  }),
];
