/** The page's style: the system's fonts, and light or dark as the reader's system is. */
export const pageStyle = `
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #5f6773; --back: #fff; --fore: #16191d; --accent: #1558d6;
  --open: #11703a; --closed: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #363b43; --soft: #a0a8b4; --back: #14171b; --fore: #e8eaed;
  --accent: #8ab4f8; --open: #6fcf97; --closed: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; height: 100vh; height: 100dvh; padding: 1rem; display: flex;
  flex-direction: column; gap: .75rem; background: var(--back); color: var(--fore); font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .25rem 1rem; }
h1 { margin: 0; font: 600 1.25rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
#state { margin: 0; color: var(--soft); }
#state::before { content: ''; display: inline-block; width: .6em; height: .6em; margin-right: .5em; border-radius: 50%;
  background: currentColor; }
#state[data-state=open] { color: var(--open); }
#state[data-state=closed] { color: var(--closed); }
main { flex: 1; min-height: 0; position: relative; border: 1px solid var(--line); border-radius: .5rem; }
#messages { height: 100%; margin: 0; padding: .5rem .75rem; overflow-y: auto; list-style: none; border-radius: inherit; }
#messages li { display: flex; gap: .75rem; padding: .2rem 0; }
#messages time { flex: none; color: var(--soft); font-size: .85rem; line-height: 1.75; font-variant-numeric: tabular-nums; }
#messages span { flex: 1; min-width: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
#messages .missed span { color: var(--closed); font-style: italic; }
#empty { position: absolute; inset: 0; margin: auto; height: fit-content; padding: 1rem; color: var(--soft);
  text-align: center; pointer-events: none; }
noscript p { padding: 0 .75rem; color: var(--closed); }
form { display: flex; gap: .5rem; }
textarea, button { padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--back);
  color: inherit; font: inherit; }
textarea { flex: 1; min-width: 0; resize: vertical; }
button { border-color: var(--accent); color: var(--accent); font-weight: 600; cursor: pointer; }
button:disabled { border-color: var(--line); color: var(--soft); cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none; }
`;
