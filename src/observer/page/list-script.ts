/** The list of the observer page: its rows stay the same elements while what they say changes. */
export const listScript = String.raw`
  // How long a number stays the same until it fades, in milliseconds.
  const STILL = 20000;
  // rows: by key, each with its element, its row, and since when its numbers are what they are. at: the row of the keyboard.
  let list = null;
  // On a phone the columns that decide come first: the others lie beyond the edge of the screen.
  const phone = matchMedia('(max-width: 620px)');
  const columnsOf = (tab) => phone.matches ? TABS[tab].columns.toSorted((a, b) => (a.early ? 0 : 1) - (b.early ? 0 : 1)) : TABS[tab].columns;

  function newList(tab) {
    const { layout } = TABS[tab];
    const columns = columnsOf(tab);
    const rows = new Map();
    if (layout === 'reports') { const body = el('div', {}); return { tab, rows, body, frame: body, at: null, heads: [], columns, narrow: phone.matches }; }
    const heads = columns.map((column) => el('th', { scope: 'col', class: numeric(column) ? 'num' : null, title: column.hint ?? null },
      column.natural === null || TABS[tab].first === null ? column.head : el('button', { onclick: () => orderBy(column.field) }, column.head)));
    const body = el('tbody');
    return { tab, rows, body, heads, at: null, columns, narrow: phone.matches, frame: el('table', {}, el('thead', {}, el('tr', {}, ...heads)), body) };
  }

  function drawList(page) {
    const shown = TABS[view.tab];
    if (list?.tab !== view.tab || list.narrow !== phone.matches) list = newList(view.tab);
    if (page.rows.length === 0) {
      const why = view.filter === '' ? shown.empty : 'Nothing here matches \u201c' + visible(view.filter) + '\u201d.';
      patch(byId('list'), [el('p', { class: 'empty' }, why)]);
      list.rows.clear();
      return;
    }
    list.heads.forEach((head, index) => setAttr(head, 'aria-sort', shown.first !== null && list.columns[index].field === view.by ? view.dir + 'ending' : null));
    const most = list.columns.map((column) => column.bar ? Math.max(1e-9, ...page.rows.map((row) => row[column.field] ?? 0)) : 0);
    const { activeElement } = document;
    const lost = list.body.contains(activeElement) ? [...list.body.children].findIndex((node) => node.contains(activeElement)) : -1;
    const rows = new Map();
    for (const row of page.rows) {
      let key = shown.key.map((field) => row[field] ?? '').join('\n');
      while (rows.has(key)) key += '+';
      const entry = list.rows.get(key) ?? newRow(key, row);
      entry.row = row;
      if (shown.layout !== 'reports') fill(entry, shown, most);
      rows.set(key, entry);
    }
    list.rows = rows;
    arrange(list.body, [...rows.values()].map(({ node }) => node));
    if (byId('list').firstChild !== list.frame || byId('list').childNodes.length > 1) byId('list').replaceChildren(list.frame);
    rove();
    // The row of the focus is not listed any more: the one in its place has it.
    if (lost >= 0 && !list.body.contains(document.activeElement)) focusRow(Math.min(lost, rows.size - 1));
  }

  function newRow(key, row) {
    const reports = TABS[view.tab].layout === 'reports';
    const entry = { key, row, node: reports ? reportOf(row) : el('tr'), values: [] };
    entry.node.tabIndex = -1;
    entry.node.onclick = (event) => { if (!event.target.closest('button, a, summary')) { list.at = key; rove(); choose(entry); } };
    entry.node.onfocus = () => { list.at = key; rove(); };
    return entry;
  }

  function fill(entry, shown, most) {
    const { node, row, values } = entry;
    const now = performance.now();
    const chosen = shown.pid !== null && row[shown.pid] !== undefined && row[shown.pid] === view.pid;
    setAttr(node, 'class', [chosen && 'chosen', (row[shown.pid] ?? null) === null && 'still'].filter(Boolean).join(' ') || null);
    setAttr(node, 'aria-current', chosen ? 'true' : null);
    patch(node, list.columns.map((column, index) => {
      const value = row[column.field] ?? null;
      if (values[index]?.value !== value) values[index] = { value, since: values[index] === undefined ? now - STILL / 2 : now };
      const still = numeric(column) && now - values[index].since >= STILL;
      const cell = el('td', { class: [numeric(column) && 'num', LONG.has(column.kind) && 'name', column.bar && 'bar', column.early && 'early', still && 'still'].filter(Boolean).join(' ') || null });
      if (column.bar) {
        const length = el('i');
        length.style.width = value > 0 ? Math.max(1, value / most[index] * 90).toFixed(1) + '%' : '0';
        cell.append(length);
      }
      cell.append(cells[column.kind](value, row));
      return cell;
    }));
  }

  function reportOf(report) {
    const { stack } = report;
    return el('article', { class: 'report' },
      el('p', {}, el('time', {}, clock(report.at)), tag(report.type, report.type === 'crash' ? 'bad' : 'warn'), ' ', mono(report.process),
        report.about === '' ? null : el('span', { class: 'more' }, 'about ', mono(report.about))),
      el('p', { class: 'why' }, visible(report.reason)),
      stack.length === 0 ? null : el('details', {}, el('summary', {}, plural(stack.length, 'frame')), el('pre', { class: 'mono' }, stack.join('\n'))));
  }

  // One row can be reached by the Tab key: the one that the keyboard was at, or that is shown in detail, or the first.
  function rove() {
    const entries = [...list.rows.values()];
    const at = list.rows.get(list.at) ?? entries.find(({ node }) => node.classList.contains('chosen')) ?? entries[0];
    for (const entry of entries) { const index = entry === at ? 0 : -1; if (entry.node.tabIndex !== index) entry.node.tabIndex = index; }
    return entries.indexOf(at);
  }
  function focusRow(index) {
    const entry = [...list.rows.values()][index];
    if (entry === undefined) return;
    entry.node.focus();
    entry.node.scrollIntoView({ block: 'nearest' });
  }
  // Down or up from the row of the keyboard; the first step goes to that row itself.
  function moveRow(by) {
    if (list === null || list.rows.size === 0) return;
    const at = rove();
    focusRow(list.body.contains(document.activeElement) ? Math.min(list.rows.size - 1, Math.max(0, at + by)) : at);
  }
  const focusedRow = () => list === null ? undefined : [...list.rows.values()].find(({ node }) => node === document.activeElement);

  function choose({ row, node }) {
    const id = row[TABS[view.tab].pid] ?? null;
    if (id !== null) show({ pid: id === view.pid ? null : id });
    else if (node.querySelector('details')) node.querySelector('details').open = !node.querySelector('details').open;
  }

  // The tools above the list.
  function drawTools({ rows, total }) {
    const paged = TABS[view.tab].first !== null;
    for (const id of ['filter', 'range', 'back', 'on']) byId(id).hidden = !paged;
    // The list has become shorter than where the page stands.
    if (paged && rows.length === 0 && total > 0) { show({ offset: Math.floor((total - 1) / PAGE) * PAGE }); return; }
    setText(byId('range'), total === 0 ? '' : whole(view.offset + 1) + '\u2013' + whole(view.offset + rows.length) + ' of ' + whole(total));
    byId('back').disabled = view.offset === 0;
    byId('on').disabled = view.offset + rows.length >= total;
  }
  const turnPage = (by) => {
    const to = byId(by < 0 ? 'back' : 'on');
    if (!to.hidden && !to.disabled) show({ offset: Math.max(0, view.offset + by * PAGE) });
  };
  byId('back').onclick = () => turnPage(-1);
  byId('on').onclick = () => turnPage(1);

  let filterTimer;
  const filterNow = () => {
    clearTimeout(filterTimer);
    if (byId('filter').value !== view.filter) show({ filter: byId('filter').value, offset: 0 });
  };
  byId('filter').oninput = () => { clearTimeout(filterTimer); filterTimer = setTimeout(filterNow, 250); };
`;
