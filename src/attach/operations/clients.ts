import { size } from '../../measure/size.ts';
import { type ClientView, client, connections, disconnect, gone, why } from '../../view/connections.ts';
import type { Certificate, Ended } from '../../view/history.ts';
import type { Page } from '../../view/page-of.ts';
import { pause } from '../../view/runtime.ts';
import { wasMeant, whom } from '../../view/whom.ts';
import {
  counts,
  duration,
  fieldLines,
  known,
  left,
  pageText,
  rateOf,
  right,
  sizes,
  spare,
  spareRight,
  texts,
  times,
  whole,
} from '../text.ts';
import {
  count,
  fields,
  LIVE_OPTIONS,
  LONGEST,
  type OptionTable,
  oneOrMeant,
  PAGE_OPTIONS,
  pageWanted,
  SECOND,
  SINCE_OPTION,
  word,
} from './given.ts';
import { type Operation, operation } from './operation.ts';

const connectionsOptions = {
  by: { about: 'the order', words: ['pending', 'out', 'in', 'age', 'topics'] },
  ...PAGE_OPTIONS,
  ...LIVE_OPTIONS,
} as const satisfies OptionTable;

const windowOption = {
  window: { about: 'ms in which rates are measured: 1000' },
} as const satisfies OptionTable;

const goneOptions = {
  ...LIVE_OPTIONS,
  reason: { about: "closed or refused for this reason, such as 'slow'" },
  ...SINCE_OPTION,
  ...PAGE_OPTIONS,
} as const satisfies OptionTable;

export const clientOperations: readonly Operation[] = [
  operation({
    usage: "connections({by: 'pending', n: 20, offset: 0, address, subject, topic, door})",
    options: connectionsOptions,
    example: "connections({by: 'out', topic: 'chat'})",
    summary: 'the clients, or some of them, by pending, out, in, age or topics',
    isRefreshed: true,
    run: ({ node, args }) => {
      const { by, n, offset, ...meant } = fields(args[0], connectionsOptions);
      const order = word(by, 'by', connectionsOptions.by.words);
      return connections(node, order, pageWanted(n, offset), whom(meant, Date.now()));
    },
    show: (page, width) =>
      pageText(
        width,
        page,
        'connections',
        ...texts('ref', 'door', 'address'),
        left('who', ({ subject }) => subject ?? ''),
        ...texts('state'),
        ...counts('topics'),
        ...sizes('pending'),
        spareRight('highest', ({ pendingHighWater }) => size(pendingHighWater)),
        ...counts('in', 'out').map(spare),
        spareRight('round trip', ({ roundTrip }) =>
          known(roundTrip, (time) => `${Math.round(time * 10) / 10}ms`),
        ),
        right('age', ({ age }) => duration(age)),
      ),
  }),
  operation({
    usage: 'client(ref, {window: 1000}) or client({address, subject, topic, door})',
    takes: 'ref',
    options: { ...windowOption, ...LIVE_OPTIONS },
    example: "client({address: '10.0.0.7'})",
    needs: 1,
    summary: 'one client, there or gone: who it is, its topics, rates, what waits for it',
    run: ({ node, args, signal }) => {
      const period = count(fields(args[1], windowOption).window, 'window', SECOND, LONGEST);
      return client(node, oneOrMeant(args[0]), (time) => pause(time, signal), period);
    },
    show: (data, width) => (data.type === 'closed' ? whyText(width, data) : clientText(width, data)),
  }),
  operation({
    usage: "why(ref) or why({address, subject, topic, reason, since: '10m', n, offset})",
    takes: 'ref',
    options: goneOptions,
    example: "why({reason: 'slow', since: '1h'})",
    summary: 'why clients were closed or turned away: one, or a list, newest first',
    run: ({ node, args }): Certificate | Page<Ended> => {
      if (args.length === 1 && (typeof args[0] !== 'object' || args[0] === null)) return why(node, args[0]);
      const { n, offset, ...given } = fields(args[0], goneOptions);
      const meant = whom(given, Date.now());
      return gone(node, pageWanted(n, offset), (ended) => wasMeant(ended, meant));
    },
    show: (data, width) => ('rows' in data ? goneText(width, data) : whyText(width, data)),
  }),
  operation({
    usage: 'disconnect(ref, reason) or disconnect({address, subject, topic}, reason)',
    takes: 'ref',
    options: LIVE_OPTIONS,
    example: "disconnect({address: '10.0.0.7'}, 'maintenance')",
    isAction: true,
    needs: 1,
    summary: 'closes a connection, or all that are meant, with 1001 and a reason',
    run: ({ node, args }) => disconnect(node, oneOrMeant(args[0]), args[1]),
  }),
];

function clientText(width: number, live: Extract<ClientView, { readonly type: 'live' }>): string {
  const { ref, door, transport, address, state, age, subject, authorised, memberships, owns, roundTrip } =
    live;
  return fieldLines(
    [
      ['client', `${ref} at ${door} (${transport}), from ${address}`],
      ['state', state],
      ...(live.trouble === null ? [] : ([['trouble', live.trouble]] as const)),
      ['identity', subject ?? (authorised ? 'a credential of its own' : 'anonymous')],
      ['there for', duration(age)],
      ['topics', memberships.length === 0 ? 'none' : memberships.join(', ')],
      ...(owns === null ? [] : ([['owner of', owns]] as const)),
      [
        'messages',
        `${whole(live.in)} in (${rateText(live.inRate)}), ${whole(live.out)} out (${rateText(live.outRate)})`,
      ],
      ['taken', `${size(live.taken)}, ${size(live.takenRate)}/s now`],
      ['waiting', `${size(live.pending)}, ${size(live.pendingHighWater)} at the most`],
      ['round trip', roundTrip === null ? 'not pinged yet' : `${roundTrip}ms at the last ping`],
    ],
    width,
  );
}

function rateText(rate: number): string {
  return `${rateOf(rate)}/s`;
}

function goneText(width: number, page: Page<Ended>): string {
  return pageText(
    width,
    page,
    'clients',
    times('when', ({ at }) => at),
    left('ref', (ended) => (ended.type === 'closed' ? `<${ended.conn}>` : '-')),
    ...texts('door', 'address'),
    left('who', (ended) => (ended.type === 'closed' ? (ended.subject ?? '') : '')),
    left('why', (ended) =>
      ended.type === 'closed' ? `${ended.code} ${ended.reason}` : `refused: ${ended.reason}`,
    ),
    spare(left('topics', (ended) => (ended.type === 'closed' ? ended.topics.join(', ') : ''))),
  );
}

function whyText(width: number, certificate: Certificate): string {
  const { topics, topicCount, at, age, pendingHighWater, roundTrip } = certificate;
  const more = topicCount > topics.length ? `, … ${topicCount - topics.length} more` : '';
  return fieldLines(
    [
      ['connection', `<${certificate.conn}> at ${certificate.door}, from ${certificate.address}`],
      ['closed', `${new Date(at).toISOString()}, ${certificate.code} ${certificate.reason}`],
      ['because', certificate.event],
      ['lived', duration(age)],
      ['identity', certificate.subject ?? (certificate.authorised ? 'a credential of its own' : 'anonymous')],
      ['topics', topicCount === 0 ? 'none' : topics.join(', ') + more],
      ...(certificate.owned === null ? [] : ([['owner of', certificate.owned]] as const)),
      ['messages', `${whole(certificate.in)} in, ${whole(certificate.out)} out`],
      ['pending', `${size(pendingHighWater)} at the most`],
      ['round trip', roundTrip === null ? 'never pinged' : `${roundTrip}ms at the last ping`],
    ],
    width,
  );
}
