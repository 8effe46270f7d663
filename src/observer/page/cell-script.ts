/** How a value looks in a list of the observer page: one entry for each kind of column (`Kind` in `tab.ts`). */
export const cellScript = String.raw`
  // 0 is none of it, a dash is not known; both are faint.
  const faint = (text) => el('span', { class: 'zero' }, text);
  const dash = () => faint('\u2013');
  const number = (show) => (n) => n === null || n === undefined ? dash() : n === 0 ? faint(show(0)) : el('span', {}, show(n));
  const word = (show) => (text) => text === null || text === undefined || text === '' ? dash() : show(String(text));
  const title = (text, ...more) => el('span', { title: visible(text) }, mono(text), ...more);
  const tag = (text, mood, why) => el('span', { class: 'tag ' + (mood ?? ''), title: why ?? null }, text);

  const CLIENTS = {
    open: ['good', null],
    behind: ['warn', 'Reads slowly: its topics wait for it'],
    stalled: ['bad', 'Does not read: nobody waits for it'],
  };

  const HEALTH = { ready: 'good', stopped: '', down: 'bad', stale: 'bad' };

  // Kinds whose values are numbers: they stand on the right, and fade when they do not change.
  const NUMBERS = new Set(['bytes', 'count', 'duration', 'milliseconds', 'rate', 'share']);
  const numeric = ({ kind }) => NUMBERS.has(kind);
  // Kinds whose texts may be long.
  const LONG = new Set(['name', 'names', 'topic', 'tree', 'why', 'link', 'health']);

  const cells = {
    bytes: number(bytes),
    count: number(whole),
    duration: number(time),
    milliseconds: number((n) => n === 0 ? '< 1 ms' : ms(n) + ' ms'),
    rate: number(rate),
    share: number((n) => Math.round(n * 100) + ' %'),
    text: word((text) => el('span', {}, visible(text))),
    mono: word(mono),
    name: word(title),
    names: (list, row) => !list?.length ? dash() : title(list.join(', ') + (row.topicCount > list.length ? ', \u2026' : '')),
    when: (at) => el('span', { title: new Date(at).toLocaleString() }, clock(at)),
    runs: (text, row) => el('span', {}, text, ' ', row.status === 'running' ? '' : tag(row.status, 'warn')),
    client: (text) => tag(text, CLIENTS[text]?.[0], CLIENTS[text]?.[1]),
    way: (text) => el('span', {}, text === 'in' ? '\u2190 takes from' : '\u2192 serves'),
    link: (text, row) => {
      const state = tag(text, text === 'up' ? 'good' : 'bad');
      return row.why === null ? state : el('span', { title: visible(row.why) }, state, el('span', { class: 'more' }, visible(row.why)));
    },
    relay: (text, row) => el('span', { title: row.own ? 'This page is of this relay' : row.heard === null ? 'Never heard' : 'Heard ' + time(row.heard) + ' ago' },
      mono(text), row.own ? ' ' : null, row.own ? tag('this relay') : null),
    health: (text, row) => {
      const said = row.troubles.length > 0 ? row.troubles.join('; ') : row.why ?? '';
      const state = tag(text, row.troubles.length > 0 && text === 'ready' ? 'warn' : HEALTH[text] ?? 'warn');
      return said === '' ? state : el('span', { title: visible(said) }, state, el('span', { class: 'more' }, visible(said)));
    },
    why: (text, row) => row.type === 'refused' ? el('span', {}, tag('refused', 'warn'), ' ', visible(text))
      : el('span', { title: visible(row.event) }, tag(String(row.code)), ' ', visible(text)),
    // A realm's name has no colon.
    topic: (text) => {
      const [, realm, name] = /^topic:([^:]*):([^]*)$/.exec(text) ?? [null, '', text];
      return el('span', { class: 'mono', title: visible(text) }, el('span', { class: 'soft' }, realm + ' '), visible(name));
    },
    tree: (text, row) => {
      const folds = row.type === 'supervisor' && row.below > 0;
      const fold = el('button', { class: 'fold' + (folds ? '' : ' none'), tabindex: '-1', 'aria-label': row.open ? 'Close' : 'Open',
        onclick: (event) => { event.stopPropagation(); toggle(row.id); } }, row.open ? '\u25BE' : '\u25B8');
      const cell = el('span', { class: 'branch', title: visible(text) }, fold, el('span', { class: 'mono' + (row.type === 'supervisor' ? ' sup' : '') }, visible(text)));
      if (row.more > 0) cell.append(el('span', { class: 'more' }, '50 of ' + whole(row.more + 50) + ' shown'));
      cell.style.paddingLeft = row.depth * 18 + 'px';
      return cell;
    },
  };
`;
