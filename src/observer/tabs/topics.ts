import { rateScore } from '../../measure/rate-score.ts';
import type { Topic } from '../../topic/topic.ts';
import { topicRow } from '../../view/topics.ts';
import { listTab } from '../tab.ts';

export const topics = listTab<Topic>({
  title: 'Topics',
  total: 'topics',
  empty: 'No topic is live. One starts with its first member.',
  key: ['topic'],
  pid: 'pid',
  also: ['handled'],
  first: 'deliveryRate',
  items: ({ view }) => view.topics.all(),
  matches: (topic, filter) => topic.toString().toLowerCase().includes(filter),
  row: (topic, { view, rates }) => {
    const { trafficRate, deliveryRate } = rates.of(topic.server?.id);
    const pid = topic.server?.id ?? null;
    return {
      ...topicRow(view, topic),
      pid,
      messages: topic.fanOut.messages,
      rate: trafficRate,
      deliveryRate,
    };
  },
  columns: [
    { field: 'topic', head: 'Topic', kind: 'topic', natural: 'asc', order: String },
    { field: 'members', head: 'Members', kind: 'count', order: ({ members }) => members.size },
    {
      field: 'rate',
      head: 'Messages/s',
      kind: 'rate',
      bar: true,
      order: ({ server, fanOut }, { rates }) =>
        rateScore(rates.of(server?.id).trafficRate, fanOut.queue.length, fanOut.behind.size),
    },
    {
      field: 'deliveryRate',
      head: 'Deliveries/s',
      kind: 'rate',
      bar: true,
      order: ({ server, fanOut }, { rates }) =>
        rateScore(rates.of(server?.id).deliveryRate, fanOut.queue.length, fanOut.behind.size),
    },
    { field: 'messages', head: 'Messages', kind: 'count', order: ({ fanOut }) => fanOut.messages },
    {
      field: 'queue',
      head: 'Waiting',
      hint: 'Messages that are not fanned out yet',
      kind: 'count',
      order: ({ fanOut }) => fanOut.queue.length,
    },
    {
      field: 'behind',
      head: 'Held back by',
      hint: 'Members that read slowly: the topic waits for them',
      kind: 'count',
      order: ({ fanOut }) => fanOut.behind.size,
    },
    {
      field: 'kept',
      head: 'Kept',
      hint: 'Messages that are kept for those who come back',
      kind: 'count',
      order: ({ line }) => line?.ring?.messages ?? null,
    },
    {
      field: 'keptBytes',
      head: 'Kept bytes',
      kind: 'bytes',
      order: ({ line }) => line?.ring?.bytes ?? null,
    },
    { field: 'owner', head: 'Owner', hint: 'Who alone publishes to it', kind: 'mono' },
    {
      field: 'ref',
      head: 'Pid',
      kind: 'mono',
      natural: 'asc',
      order: ({ server }) => (server === undefined ? null : -server.id),
    },
  ],
});
