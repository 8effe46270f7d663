import { counts, known, left, right, sizes, spare, spareRight, tableWithin, texts, whole } from '../text.ts';
import { type Operation, operation } from './operation.ts';

export const networkOperations: readonly Operation[] = [
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

const milliseconds = (seconds: number) => `${Math.round(seconds * 10_000) / 10}ms`;
