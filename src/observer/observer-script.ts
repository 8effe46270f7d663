/** The observer page at work: what is looked at, the feed, and the process in detail. */
export const observerScript = `
  const byId = (id) => document.getElementById(id);
  const TABS = { tree: 'Supervision', processes: 'Processes', topics: 'Topics', connections: 'Connections', gone: 'Closed', links: 'Links', reports: 'Reports' };
  const STATES = { ready: 'Ready', starting: 'Starting', draining: 'Draining', shedding: 'Shedding connections', lost: 'Not reachable, trying again' };
  const totalOf = { processes: 'processes', topics: 'topics', connections: 'connections', gone: 'gone', links: 'links', reports: 'reports' };

  const view = { tab: 'tree', by: '', filter: '', offset: 0, pid: null };
  const toggled = new Set();
  let feed = null, about = null, actions = false, lastList = null, pid = null, filterTimer;

  // The address keeps what is looked at, so that it can be handed on.
  const start = new URLSearchParams(location.hash.slice(1));
  if (start.get('tab') in TABS) view.tab = start.get('tab');
  if (/^\\d+$/.test(start.get('pid') ?? '')) view.pid = Number(start.get('pid'));
  view.by = start.get('by') ?? lists[view.tab]?.first ?? '';

  for (const [tab, title] of Object.entries(TABS)) {
    byId('tabs').append(el('button', { role: 'tab', id: 'tab-' + tab, onclick: () => show({ tab, by: lists[tab]?.first ?? '', offset: 0, filter: '' }) }, title, el('span')));
  }

  function show(change) {
    if ('pid' in change && change.pid !== view.pid) { byId('detail').replaceChildren(); about = null; }
    if ('filter' in change && byId('filter').value !== change.filter) byId('filter').value = change.filter;
    if ('tab' in change) lastList = null;
    Object.assign(view, change);
    const hash = new URLSearchParams({ tab: view.tab, ...(view.by && { by: view.by }), ...(view.pid !== null && { pid: view.pid }) });
    history.replaceState(null, '', '#' + hash);
    connect();
  }

  function toggle(id) {
    if (!toggled.delete(id)) toggled.add(id);
    connect();
  }

  function connect() {
    feed?.close();
    const query = new URLSearchParams({ tab: view.tab, by: view.by, filter: view.filter, offset: view.offset });
    if (view.pid !== null) query.set('pid', view.pid);
    if (toggled.size > 0) query.set('toggled', [...toggled].join(','));
    // Relative, here and below: a proxy may have the page below a path of its own.
    feed = new EventSource('observer/feed?' + query);
    feed.addEventListener('hello', ({ data }) => hello(JSON.parse(data)));
    feed.addEventListener('frame', ({ data }) => frame(JSON.parse(data)));
    feed.onerror = () => {
      state('lost');
      // A browser tries again by itself, unless it was refused.
      if (feed.readyState === 2) setTimeout(connect, 2000);
    };
  }

  function state(name) {
    byId('state').dataset.state = name;
    setText(byId('state'), STATES[name]);
  }

  function hello(message) {
    actions = message.actions;
    samples = message.history.slice(-kept);
    setText(byId('node'), visible(message.node));
    document.title = visible(message.node) + ' – Fanfare observer';
    pid = message.pid;
    byId('facts').dataset.about = 'Fanfare ' + message.version + ' · ' + message.runtime + ' · pid ' + message.pid;
    drawTiles();
  }

  function frame({ sample, totals, list, detail }) {
    if (sample !== null) {
      samples.push(sample);
      if (samples.length > kept) { samples.shift(); if (cursor !== null) cursor = Math.max(0, cursor - 1); }
    }
    if (!document.hidden) drawTiles();
    state(totals.state);
    setText(byId('facts'), byId('facts').dataset.about + ' · up ' + time(totals.uptime));
    drawCounts(totals);
    for (const tab of Object.keys(TABS)) {
      byId('tab-' + tab).setAttribute('aria-selected', String(tab === view.tab));
      if (tab in totalOf) setText(byId('tab-' + tab).lastChild, whole(totals[totalOf[tab]]));
    }
    if (list !== null && !document.hidden) drawList(list);
    if (detail !== null) drawDetail(detail);
    if (view.pid === null) hideDetail();
  }

  function drawCounts(totals) {
    const items = [
      ['waiting for clients', bytes(totals.pending)], ['slow clients', whole(totals.slow), totals.slow > 0 && 'warn'],
      ['messages dropped', whole(totals.dropped), totals.dropped > 0 && 'warn'], ['crashes', whole(totals.crashed), totals.crashed > 0 && 'bad'],
      ...(totals.links === 0 ? [] : [['links down', whole(totals.linksDown), totals.linksDown > 0 && 'bad']]),
      ['heap limit', bytes(totals.heapLimit)], ['log lines lost', whole(totals.linesLost), totals.linesLost > 0 && 'bad'],
    ];
    byId('counts').replaceChildren(...items.map(([name, value, mark]) => el('span', { class: mark || null }, el('b', {}, value), ' ' + name)));
  }

  function drawList(page) {
    lastList = page;
    const paged = view.tab in lists && 'first' in lists[view.tab];
    byId('tools').hidden = !paged;
    if (paged) {
      const { rows, total } = page;
      setText(byId('range'), total === 0 ? '' : whole(view.offset + 1) + '–' + whole(view.offset + rows.length) + ' of ' + whole(total));
      byId('back').disabled = view.offset === 0;
      byId('on').disabled = view.offset + rows.length >= total;
    }
    const drawn = view.tab === 'reports' ? drawReports(page) : drawTable(view.tab, page);
    // What was opened or is being chosen in the reports stays as it is until there is another.
    const stamp = view.tab + (view.tab === 'reports' ? page.rows.length + '/' + page.rows[0]?.at : '');
    if (view.tab === 'reports' && byId('list').dataset.stamp === stamp) return;
    byId('list').dataset.stamp = stamp;
    if (byId('list').firstChild !== drawn) byId('list').replaceChildren(drawn);
  }

  byId('back').onclick = () => show({ offset: Math.max(0, view.offset - 50) });
  byId('on').onclick = () => show({ offset: view.offset + 50 });
  byId('filter').oninput = () => {
    clearTimeout(filterTimer);
    filterTimer = setTimeout(() => show({ filter: byId('filter').value, offset: 0 }), 250);
  };

  function hideDetail() {
    byId('detail').hidden = true;
    byId('split').classList.remove('two');
  }

  const plain = (value, indent = '') => {
    if (value === null || typeof value !== 'object') return visible(String(value));
    const entries = Array.isArray(value) ? value.map((item) => ['-', item]) : Object.entries(value).map(([name, item]) => [visible(name) + ':', item]);
    if (entries.length === 0) return Array.isArray(value) ? 'none' : 'empty';
    return entries.map(([name, item]) => '\\n' + indent + name + ' ' + plain(item, indent + '  ')).join('');
  };

  function drawDetail(detail) {
    if (detail.pid !== view.pid) return;
    byId('detail').hidden = false;
    byId('split').classList.add('two');
    if (about === null || about.pid !== detail.pid) {
      about = { pid: detail.pid, name: el('h3'), facts: el('dl'), state: el('pre', { class: 'mono' }), trace: el('pre', { class: 'mono' }), said: el('p', { class: 'said' }) };
      const button = (text, act, danger) => el('button', { class: danger ? 'danger' : null, onclick: act }, text);
      const acts = [button('Trace 3 s', () => trace(detail.pid))];
      if (actions) {
        for (const [text, action, danger] of [['Suspend', 'suspend'], ['Resume', 'resume'], ...(detail.info?.behaviour === 'connection-handler' ? [['Disconnect', 'disconnect', true]] : []), ...(detail.info?.type === 'supervisor' ? [] : [['Kill', 'kill', true]])]) {
          acts.push(button(text, () => (!danger || confirm(text + ' <' + detail.pid + '>?')) && act(action, detail.pid), danger));
        }
      }
      about.acts = el('div', { class: 'acts' }, ...acts);
      byId('detail').replaceChildren(
        el('div', { class: 'top' }, about.name, el('button', { class: 'close', 'aria-label': 'Close', onclick: () => show({ pid: null }) }, '\\u00d7')),
        about.facts, about.acts, about.said, about.trace, el('h4', {}, 'State'), about.state);
    }
    const { info } = detail;
    if (info === null) {
      about.acts.hidden = true;
      if (detail.gone === null) setText(about.said, 'This process has ended.');
      else drawGone(detail.gone);
      return;
    }
    setText(about.name, visible(info.details?.topic ?? info.name));
    const facts = [['Pid', info.ref], ['Runs', info.behaviour], ['Status', info.status], ['Mailbox', whole(info.mailbox)], ['Longest mailbox', whole(info.mailboxHighWater)],
      ['Handled', whole(info.handled)], ['Handled per second', rate(detail.rate)], ['Restarts before', whole(info.restarts)], ['Up', time(info.uptime)],
      ...(info.details === null ? [] : [['In per second', rate(detail.traffic.in)], ['Out per second', rate(detail.traffic.out)]]),
      ['Under', info.ancestors.slice(0, 3).map(visible).join(' ‹ ') || '–']];
    const shown = { pending: bytes, kept: whole, keptBytes: bytes, pendingHighWater: bytes, roundTrip: (n) => ms(n) + ' ms', in: whole, out: whole, memberships: (names) => names.join(', ') || 'none', authorised: (it) => it ? 'yes' : 'no' };
    const known = { ref: 1, topic: 1, handled: 1, age: 1, phase: 1, behind: 1 };
    for (const [name, value] of Object.entries(info.details ?? {})) {
      if (!known[name] && value !== null) facts.push([name[0].toUpperCase() + name.slice(1).replace(/([A-Z])/g, (letter) => ' ' + letter.toLowerCase()), visible((shown[name] ?? String)(value))]);
    }
    drawFacts(facts);
    setText(about.state, plain(detail.state).trim());
  }

  // A client that is gone, and why.
  function drawGone(gone) {
    setText(about.name, visible(gone.door + ' ' + gone.address));
    setText(about.said, 'This client is gone: ' + visible(gone.event) + '.');
    drawFacts([['Pid', '<' + gone.conn + '>'], ['Closed', new Date(gone.at).toLocaleString()], ['Code', String(gone.code)], ['Reason', visible(gone.reason)],
      ['Who', visible(gone.subject ?? (gone.authorised ? 'a credential of its own' : 'anonymous'))], ['Lived', time(gone.age)],
      ['Topics', gone.topicCount === 0 ? 'none' : visible(gone.topics.join(', ')) + (gone.topicCount > gone.topics.length ? ', \u2026' : '')],
      ['Messages in', whole(gone.in)], ['Messages out', whole(gone.out)], ['Most waiting', bytes(gone.pendingHighWater)],
      ['Last ping', gone.roundTrip === null ? '\u2013' : ms(gone.roundTrip) + ' ms']]);
  }

  const drawFacts = (facts) => about.facts.replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));

  async function ask(path, options) {
    try {
      const answer = await fetch(path, options);
      return await answer.json();
    } catch {
      return { error: 'not reachable' };
    }
  }

  async function trace(id) {
    const mine = about;
    setText(mine.said, 'Looking at its messages…');
    const { lines = [], error } = await ask('observer/trace?pid=' + id);
    setText(mine.said, error ?? (lines.length === 0 ? 'No message in 3 seconds.' : lines.length + ' messages:'));
    setText(mine.trace, lines.map((line) => visible(line.replace(/^\\S+ (\\d+)\\/\\d+ /, '$1  '))).join('\\n'));
  }

  async function act(action, id) {
    const mine = about;
    const { done, error } = await ask('observer/actions', { method: 'POST', body: JSON.stringify({ action, pid: id }) });
    setText(mine.said, visible(done ?? error));
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) { drawTiles(); if (lastList !== null) drawList(lastList); } });
  connect();
`;
