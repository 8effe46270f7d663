/** The keys of the observer page. What the dialog lists is what there is: both come from one table. */
export const keyboardScript = String.raw`
  const names = Object.keys(TABS);
  const turnTab = (by) => show({ tab: names[(names.indexOf(view.tab) + by + names.length) % names.length] });
  const branch = (open) => {
    const entry = focusedRow();
    if (entry === undefined || view.tab !== 'tree' || entry.row.below === 0 || entry.row.type !== 'supervisor' || entry.row.open === open) return false;
    toggle(entry.row.id);
  };

  // act returns false where the key is left to the browser.
  const SHORTCUTS = [
    { keys: ['?'], said: 'These keys', act: () => byId('keys').open ? byId('keys').close() : byId('keys').showModal() },
    { keys: ['/'], said: 'To the filter; Enter goes on to the list, Escape leaves it', act: () => { if (byId('filter').hidden) return false; byId('filter').focus(); byId('filter').select(); } },
    { keys: names.slice(0, 9).map((_, index) => String(index + 1)), shown: '1 … ' + Math.min(9, names.length), said: 'Tabs, from left to right', act: (key) => show({ tab: names[key - 1] }) },
    { keys: [']'], said: 'The next tab', act: () => turnTab(1) },
    { keys: ['['], said: 'The tab before', act: () => turnTab(-1) },
    { keys: ['j', 'ArrowDown'], shown: 'j  \u2193', said: 'The next row', act: (key) => inDetail() && key !== 'j' ? false : moveRow(1) },
    { keys: ['k', 'ArrowUp'], shown: 'k  \u2191', said: 'The row before', act: (key) => inDetail() && key !== 'k' ? false : moveRow(-1) },
    { keys: ['Home'], said: 'The first row', act: () => focusedRow() === undefined ? false : focusRow(0) },
    { keys: ['End'], said: 'The last row', act: () => focusedRow() === undefined ? false : focusRow(list.rows.size - 1) },
    { keys: ['Enter'], said: 'Opens the row in detail, and closes it', act: () => focusedRow() === undefined ? false : choose(focusedRow()) },
    { keys: ['Escape'], shown: 'Esc', said: 'Closes the detail', act: () => view.pid === null ? false : closeDetail() },
    { keys: ['ArrowRight'], shown: '\u2192', said: 'Opens a branch of the tree', act: () => branch(true) },
    { keys: ['ArrowLeft'], shown: '\u2190', said: 'Closes a branch of the tree', act: () => branch(false) },
    { keys: ['n'], said: 'The next page', act: () => turnPage(1) },
    { keys: ['p'], said: 'The page before', act: () => turnPage(-1) },
    { keys: ['s'], said: 'By the next column', act: orderByNext },
    { keys: ['S'], said: 'The other way round', act: () => { if (TABS[view.tab].first === null) return false; orderBy(view.by); } },
  ];
  const inDetail = () => byId('detail').contains(document.activeElement);

  byId('shortcuts').append(...SHORTCUTS.flatMap(({ keys, shown, said }) => [el('dt', {}, ...(shown ?? keys[0]).split('  ').map((key) => el('kbd', {}, key))), el('dd', {}, said)]));
  byId('help').onclick = () => byId('keys').showModal();
  byId('keys-close').onclick = () => byId('keys').close();
  byId('keys').onclick = (event) => { if (event.target === byId('keys')) byId('keys').close(); };

  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // The dialog closes by Escape of itself.
    if (byId('keys').open && key !== '?') return;
    if (target.closest?.('input, textarea, select')) {
      if (key === 'Escape') leaveFilter(event);
      else if (key === 'Enter' || key === 'ArrowDown') { event.preventDefault(); filterNow(); moveRow(0); }
      return;
    }
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(key));
    if (shortcut !== undefined && shortcut.act(key) !== false) event.preventDefault();
  });

  // Once it clears the filter, then it leaves.
  function leaveFilter(event) {
    event.preventDefault();
    if (byId('filter').value !== '') { byId('filter').value = ''; filterNow(); }
    else byId('filter').blur();
  }

  function closeDetail() {
    const inside = inDetail();
    show({ pid: null });
    if (inside && list !== null) focusRow(rove());
  }

  // Tabs as the ARIA practices have them: one can be reached by the Tab key, arrows go on.
  for (const [tab, { title }] of Object.entries(TABS)) {
    byId('tabs').append(el('button', { role: 'tab', id: 'tab-' + tab, 'aria-controls': 'panel', onclick: () => show({ tab }) }, title, el('span')));
  }
  byId('tabs').onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const to = { ArrowRight: names.indexOf(view.tab) + 1, ArrowLeft: names.indexOf(view.tab) - 1, Home: 0, End: names.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show({ tab: names[(to + names.length) % names.length] });
    byId('tab-' + view.tab).focus();
  };
  function drawTabs() {
    for (const tab of names) {
      setAttr(byId('tab-' + tab), 'aria-selected', String(tab === view.tab));
      byId('tab-' + tab).tabIndex = tab === view.tab ? 0 : -1;
    }
    setAttr(byId('panel'), 'aria-labelledby', 'tab-' + view.tab);
    const { offsetLeft, offsetWidth } = byId('tab-' + view.tab);
    const tabs = byId('tabs');
    // Where they do not fit, they are scrolled to the one that is shown.
    if (offsetLeft < tabs.scrollLeft || offsetLeft + offsetWidth > tabs.scrollLeft + tabs.clientWidth) tabs.scrollLeft = offsetLeft - 16;
  }
`;
