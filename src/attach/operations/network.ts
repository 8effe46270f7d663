import { size } from '../../measure/size.ts';
import { type RelayRow, troubleLines } from '../../view/network.ts';
import {
  counts,
  duration,
  known,
  left,
  rateOf,
  right,
  safeLine,
  shorten,
  sizes,
  spare,
  spareRight,
  tableWithin,
  texts,
  whole,
  wrapped,
} from '../text.ts';
import { type Operation, operation } from './operation.ts';

export const networkOperations: readonly Operation[] = [
  operation({
    usage: 'network()',
    summary: 'all relays side by side, and which of them lag, and why',
    isRefreshed: true,
    run: ({ node }) => node.relays(),
    show: networkText,
  }),
  operation({
    usage: 'peers()',
    summary: 'the links to other relays',
    isRefreshed: true,
    run: ({ node }) => node.links() ?? 'this relay is alone: it has no links',
    show: (data, width) =>
      typeof data === 'string'
        ? data
        : tableWithin(
            width,
            data,
            ...texts('peer'),
            left('way', ({ direction }) => direction),
            ...texts('state'),
            ...texts('address').map(spare),
            right('round trip', ({ roundTrip }) => known(roundTrip, milliseconds)),
            right('lag', ({ lag }) => known(lag, milliseconds)),
            ...counts('messages').map(spare),
            ...sizes('bytes').map(spare),
            ...counts('lost'),
            ...sizes('pending'),
            spareRight('again', ({ reconnects }) => whole(reconnects)),
            left('', ({ why }) => why ?? ''),
          ),
  }),
];

const milliseconds = (time: number) => `${Math.round(time * 10) / 10}ms`;

/** The columns that tell which relay lags come first: the others are left out where there is no room. */
function networkText(rows: readonly RelayRow[], width: number): string {
  const time = (value: number | null) => known(value, duration);
  const lines = troubleLines(rows).map((line) => {
    const words = safeLine(line).split(' ');
    return wrapped(words.map((word) => shorten(word, width - 2)).join(' '), width);
  });
  const said = rows.length === 1 ? ['this relay is alone', ...lines] : lines;
  return [
    tableWithin(
      width,
      rows,
      left('relay', ({ node, own }) => (own ? `${node} *` : node), 40, 12),
      left('state', ({ state }) => state),
      right('in/s', ({ in: rate }) => known(rate, rateOf)),
      right('out/s', ({ out }) => known(out, rateOf)),
      right('clients', ({ connections }) => known(connections, whole)),
      right('loop', ({ loopDelay }) => time(loopDelay)),
      right('busy', ({ busy }) => known(busy, percent)),
      right('lag', ({ lag }) => time(lag)),
      spareRight('round trip', ({ roundTrip }) => time(roundTrip)),
      spareRight('heard', ({ heard }) => time(heard)),
      ...sizes('waiting').map(spare),
      ...counts('slow', 'topics', 'dropped', 'crashed').map(spare),
      spareRight('links', ({ linksUp, linksDown }) =>
        linksUp === null || linksDown === null ? '-' : `${linksUp}/${linksUp + linksDown}`,
      ),
      spareRight('cpu', ({ cpu }) => known(cpu, percent)),
      spareRight('memory', ({ rss }) => known(rss, size)),
      spareRight('up', ({ uptime }) => known(uptime, (seconds) => duration(seconds * 1000))),
      spare(left('version', ({ version }) => version ?? '-')),
      spare(left('', ({ why }) => why ?? '')),
    ),
    '',
    ...(said.length === 0 ? ['no relay lags'] : said),
  ].join('\n');
}

function percent(part: number): string {
  return `${Math.round(part * 100)}%`;
}
