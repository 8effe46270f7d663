/** What the observer page shows, and its address: all of it stands behind the `#`, so that it can be handed on. */
export const addressScript = String.raw`
  const FIRST = Object.keys(TABS)[0];
  const view = { tab: FIRST, by: '', dir: '', filter: '', offset: 0, pid: null };
  const toggled = new Set();
  const PAGE = 50;

  const columnOf = (tab, field) => TABS[tab].columns.find((column) => column.field === field && column.natural !== null);
  // How a tab is ordered at first.
  const usual = (tab) => ({ by: TABS[tab].first ?? '', dir: columnOf(tab, TABS[tab].first)?.natural ?? '' });

  function readAddress() {
    const at = new URLSearchParams(location.hash.slice(1));
    const count = (name, least) => /^\d{1,9}$/.test(at.get(name) ?? '') ? Math.max(least, Number(at.get(name))) : null;
    const tab = Object.hasOwn(TABS, at.get('tab') ?? '') ? at.get('tab') : FIRST;
    const column = columnOf(tab, at.get('by'));
    const dir = ['asc', 'desc'].includes(at.get('dir')) ? at.get('dir') : column?.natural;
    Object.assign(view, { tab, ...(column ? { by: column.field, dir } : usual(tab)),
      filter: (at.get('filter') ?? '').slice(0, 100), offset: ((count('page', 1) ?? 1) - 1) * PAGE, pid: count('pid', 0) });
    toggled.clear();
    for (const id of (at.get('toggled') ?? '').split(',')) if (/^\d{1,9}$/.test(id)) toggled.add(Number(id));
  }

  // Only what is not as usual. A step: the back button comes back to what was before.
  function writeAddress(step) {
    const { by, dir } = usual(view.tab);
    const hash = '#' + new URLSearchParams({ tab: view.tab,
      ...(view.by !== by && { by: view.by }), ...((view.by !== by ? view.dir !== columnOf(view.tab, view.by)?.natural : view.dir !== dir) && { dir: view.dir }),
      ...(view.filter && { filter: view.filter }), ...(view.offset > 0 && { page: view.offset / PAGE + 1 }),
      ...(view.pid !== null && { pid: view.pid }), ...(toggled.size > 0 && { toggled: [...toggled].join(',') }) });
    if (hash === location.hash) return;
    history[step ? 'pushState' : 'replaceState'](null, '', hash);
  }

  function show(change) {
    const other = 'tab' in change && change.tab !== view.tab;
    if (other) Object.assign(view, { ...usual(change.tab), filter: '', offset: 0 });
    const step = other || ('pid' in change && change.pid !== view.pid);
    Object.assign(view, change);
    writeAddress(step);
    shown(other);
  }

  // Someone has gone back, or has pasted another address.
  function follow() {
    const before = JSON.stringify([view, ...toggled]);
    const { tab } = view;
    readAddress();
    if (JSON.stringify([view, ...toggled]) !== before) shown(tab !== view.tab);
  }

  function toggle(id) {
    if (!toggled.delete(id)) toggled.add(id);
    writeAddress(false);
    shown(false);
  }

  // A press on the head of a column: by it, and once more the other way round.
  function orderBy(field) {
    const { natural } = columnOf(view.tab, field);
    const dir = view.by !== field ? natural : view.dir === 'asc' ? 'desc' : 'asc';
    show({ by: field, dir, offset: 0 });
  }
  function orderByNext() {
    const ordered = TABS[view.tab].columns.filter((column) => column.natural !== null);
    const next = ordered[(ordered.findIndex(({ field }) => field === view.by) + 1) % ordered.length];
    if (next !== undefined && TABS[view.tab].first !== null) orderBy(next.field);
  }

  // What the feed and exports are asked for.
  const queryOf = (more) => new URLSearchParams({ tab: view.tab, by: view.by, dir: view.dir, filter: view.filter,
    ...(toggled.size > 0 && { toggled: [...toggled].join(',') }), ...more });
`;
