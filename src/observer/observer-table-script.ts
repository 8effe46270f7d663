/** The lists of the observer page, as it runs them. All text of the relay's goes in as text, never as HTML. */
export const observerTableScript = `
  // Names come from clients: marks that turn the text round or cannot be seen are shown as what they are.
  const visible = (text) => text.replace(/[\\p{Cc}\\p{Cf}\\u2028\\u2029]/gu, (c) => '\\\\u{' + c.codePointAt(0).toString(16) + '}');
  const mono = (text) => el('span', { class: 'mono' }, visible(text));
  const faintZero = (text, n) => n === 0 ? el('span', { class: 'zero' }, text) : text;
  const status = (row) => row.status === 'running' ? '' : el('span', { class: 'tag warn' }, row.status);

  const dash = () => faintZero('\u2013', 0);
  const counted = (n) => n === null ? '\u2013' : whole(n);
  // Seconds, or null.
  const seconds = (head, read) => ({ head, num: true, cell: (r) => read(r) === null ? dash() : read(r) === 0 ? faintZero('0 ms', 0) : ms(read(r) * 1000) + ' ms' });
  const ref = { head: 'Pid', cell: (r) => mono(r.ref ?? '–') };
  const num = (head, by, read, show = whole) => ({ head, by, num: true, cell: (r) => faintZero(show(read(r)), read(r)) });
  // A number, or null.
  const known = (head, by, read, show = whole) => ({ head, by, num: true, cell: (r) => read(r) === null ? dash() : faintZero(show(read(r)), read(r)) });
  const bar = (head, by, read, show = rate) => ({ head, by, num: true, bar: read, cell: (r) => faintZero(show(read(r)), read(r)) });
  const title = (text, ...more) => { const cell = el('span', { title: visible(text) }, mono(text), ...more); return cell; };

  const STATES_OF_CLIENTS = { open: 'good', behind: 'warn', stalled: 'bad' };
  const STATES_SAID = { behind: 'Reads slowly: its topics wait for it', stalled: 'Does not read: nobody waits for it' };

  const lists = {
    processes: { first: 'rate', key: (r) => r.id, columns: [
      ref,
      { head: 'Name', name: true, cell: (r) => title(r.registered ?? r.about ?? r.name.replace(/<\\d+>$/, '')) },
      { head: 'Runs', cell: (r) => el('span', {}, r.behaviour, ' ', status(r)) },
      num('Mailbox', 'mailbox', (r) => r.mailbox),
      num('Longest', 'mailboxHighWater', (r) => r.mailboxHighWater),
      bar('Handled/s', 'rate', (r) => r.rate),
      num('Handled', 'handled', (r) => r.handled),
      num('Restarts', 'restarts', (r) => r.restarts),
      num('Up', 'uptime', (r) => r.uptime, time),
    ] },
    topics: { first: 'deliveryRate', key: (r) => r.pid, columns: [
      { head: 'Topic', name: true, cell: (r) => topicName(r.topic) },
      num('Members', 'members', (r) => r.members),
      bar('Messages/s', 'rate', (r) => r.rate),
      bar('Deliveries/s', 'deliveryRate', (r) => r.deliveryRate),
      num('Messages', 'messages', (r) => r.messages),
      num('Waiting', 'queue', (r) => r.queue),
      num('Held back by', 'behind', (r) => r.behind),
      known('Kept', 'kept', (r) => r.kept),
      known('Kept bytes', 'keptBytes', (r) => r.keptBytes, bytes),
      { head: 'Owner', cell: (r) => r.owner === null ? faintZero('–', 0) : mono(r.owner) },
      ref,
    ] },
    connections: { first: 'pending', key: (r) => r.pid, columns: [
      ref,
      { head: 'Door', cell: (r) => r.door },
      { head: 'Address', name: true, cell: (r) => mono(r.address) },
      { head: 'Who', name: true, cell: (r) => r.subject === null ? dash() : title(r.subject) },
      { head: 'State', cell: (r) => el('span', { class: 'tag ' + (STATES_OF_CLIENTS[r.state] ?? ''), title: STATES_SAID[r.state] ?? null }, r.state) },
      bar('Waiting', 'pending', (r) => r.pending, bytes),
      num('Most', 'pendingHighWater', (r) => r.pendingHighWater, bytes),
      num('Topics', 'topics', (r) => r.topics),
      bar('In/s', 'inRate', (r) => r.inRate),
      bar('Out/s', 'outRate', (r) => r.outRate),
      { head: 'Ping', by: 'roundTrip', num: true, cell: (r) => r.roundTrip === null ? faintZero('–', 0) : r.roundTrip < 1 ? '< 1 ms' : ms(r.roundTrip) + ' ms' },
      num('Age', 'age', (r) => r.age, time),
    ] },
    gone: { first: 'newest', key: (r) => r.conn ?? null, columns: [
      { head: 'When', cell: (r) => el('span', { title: new Date(r.at).toLocaleString() }, new Date(r.at).toLocaleTimeString()) },
      { head: 'Pid', cell: (r) => r.conn === undefined ? dash() : mono('<' + r.conn + '>') },
      { head: 'Door', cell: (r) => r.door },
      { head: 'Address', name: true, cell: (r) => mono(r.address) },
      { head: 'Who', name: true, cell: (r) => r.subject ? title(r.subject) : dash() },
      { head: 'Why', name: true, cell: (r) => r.type === 'refused' ? el('span', {}, el('span', { class: 'tag warn' }, 'refused'), ' ', visible(r.reason))
        : el('span', { title: visible(r.event) }, el('span', { class: 'tag' }, String(r.code)), ' ', visible(r.reason)) },
      { head: 'Topics', name: true, cell: (r) => r.topicCount ? title(r.topics.join(', ') + (r.topicCount > r.topics.length ? ', \u2026' : '')) : dash() },
      { head: 'Lived', num: true, cell: (r) => r.age === undefined ? dash() : time(r.age) },
    ] },
    links: { key: () => null, columns: [
      { head: 'Relay', name: true, cell: (r) => mono(r.peer) },
      { head: 'Way', cell: (r) => r.direction === 'in' ? '\u2190 takes from' : '\u2192 serves' },
      { head: 'State', cell: (r) => { const tag = el('span', { class: 'tag ' + (r.state === 'up' ? 'good' : 'bad') }, r.state);
        return r.why === null ? tag : el('span', { title: visible(r.why) }, tag, el('span', { class: 'more' }, visible(r.why))); } },
      { head: 'Address', cell: (r) => r.address === null ? dash() : mono(r.address) },
      seconds('Round trip', (r) => r.roundTrip),
      seconds('Behind', (r) => r.lag),
      num('Messages', null, (r) => r.messages, counted),
      num('Bytes', null, (r) => r.bytes, (n) => n === null ? '\u2013' : bytes(n)),
      num('Waiting', null, (r) => r.pending, bytes),
      num('Lost', null, (r) => r.lost),
      num('Made again', null, (r) => r.reconnects),
    ] },
    tree: { key: (r) => r.id, columns: [
      { head: 'Process', name: true, cell: (r) => treeName(r) },
      { head: 'Runs', cell: (r) => el('span', {}, r.behaviour, ' ', status(r)) },
      num('Below', null, (r) => r.below),
      num('Mailbox', null, (r) => r.mailbox + r.waitingBelow),
      num('Longest', null, (r) => r.mailboxHighWater),
      num('Handled', null, (r) => r.handled),
      num('Restarts', null, (r) => r.restarts),
      ref,
    ] },
  };

  function treeName(r) {
    const fold = el('button', { class: 'fold' + (r.type === 'supervisor' && r.below > 0 ? '' : ' none'), 'aria-label': r.open ? 'Close' : 'Open',
      onclick: (event) => { event.stopPropagation(); toggle(r.id); } }, r.open ? '\\u25BE' : '\\u25B8');
    const name = el('span', { class: 'mono' + (r.type === 'supervisor' ? ' sup' : '') }, visible(r.about ?? (r.name.replace(/<\\d+>$/, '') || r.name)));
    const cell = el('span', { title: visible(r.about ?? r.name) }, fold, name);
    if (r.more > 0) cell.append(el('span', { class: 'more' }, '50 of ' + whole(r.more + 50) + ' shown'));
    cell.style.paddingLeft = r.depth * 18 + 'px';
    return cell;
  }

  // A realm's name has no colon.
  function topicName(topic) {
    const [, realm, name] = /^topic:([^:]*):([^]*)$/.exec(topic) ?? [null, '', topic];
    return el('span', { class: 'mono', title: visible(topic) }, el('span', { class: 'soft' }, realm + ' '), visible(name));
  }

  let table = null, tableOf = '';

  function drawTable(tab, page) {
    const { columns, key } = lists[tab];
    if (tableOf !== tab + view.by) {
      tableOf = tab + view.by;
      const heads = columns.map((column) => el('th', { class: column.num ? 'num' : null, 'aria-sort': column.by && column.by === view.by ? 'descending' : null },
        column.by ? el('button', { onclick: () => show({ by: column.by, offset: 0 }) }, column.head) : column.head));
      const body = el('tbody', { class: tab === 'links' ? 'still' : null });
      table = { body, frame: el('table', {}, el('thead', {}, el('tr', {}, ...heads)), body) };
    }
    const most = columns.map((column) => column.bar ? Math.max(1e-9, ...page.rows.map(column.bar)) : 0);
    const rows = page.rows.map((row) => {
      const id = key(row);
      const cells = columns.map((column, index) => {
        const cell = el('td', { class: [column.num && 'num', column.name && 'name', column.bar && 'bar'].filter(Boolean).join(' ') || null });
        if (column.bar) {
          const value = column.bar(row);
          const length = el('i');
          length.style.width = value > 0 ? Math.max(1, value / most[index] * 100) * 0.9 + '%' : '0';
          cell.append(length, el('b', {}, column.cell(row)));
        } else cell.append(column.cell(row));
        return cell;
      });
      return el('tr', { class: id !== null && id === view.pid ? 'chosen' : null, onclick: id === null ? null : () => show({ pid: id === view.pid ? null : id }) }, ...cells);
    });
    table.body.replaceChildren(...rows);
    return page.rows.length === 0 ? el('p', { class: 'empty' }, view.filter === '' ? EMPTY[tab] : 'Nothing here matches \u201c' + visible(view.filter) + '\u201d.') : table.frame;
  }

  const EMPTY = { tree: 'No processes.', processes: 'No processes.', topics: 'No topic is live. One starts with its first member.',
    connections: 'Nobody is connected.', gone: 'No client has gone, and none was turned away.', links: 'This relay has no links to others.', reports: 'No crash or supervisor report: nothing has failed.' };

  function drawReports(page) {
    if (page.rows.length === 0) return el('p', { class: 'empty' }, EMPTY.reports);
    return el('div', {}, ...page.rows.map(({ at, report }) => {
      const crash = report.type === 'crash';
      const stack = crash ? report.stack : [];
      const about = crash ? report.about : report.offender.about;
      const who = crash ? (report.name ?? report.initialCall) + ' ' + report.pid : report.supervisor;
      return el('article', { class: 'report' },
        el('p', {}, el('time', {}, new Date(at).toLocaleTimeString()), el('span', { class: 'tag ' + (crash ? 'bad' : 'warn') }, crash ? 'crash' : report.context.replace('_', ' ')), ' ', mono(who), about === null ? null : el('span', {}, ' ', mono(about)),
          crash ? null : el('span', { class: 'more' }, 'about ' + visible(report.offender.id) + ' ' + (report.offender.pid ?? ''))),
        el('p', { class: 'why' }, visible(report.reason)),
        stack.length === 0 ? null : el('details', {}, el('summary', {}, stack.length + ' frames'), el('pre', { class: 'mono' }, stack.join('\\n'))));
    }));
  }
`;
