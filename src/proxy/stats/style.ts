/** Colours of server rows: the state's, lighter for backup servers. */
const ROWS: readonly (readonly [className: string, colour: string])[] = [
  ['frontend', '#e8ecf4'],
  ['socket', '#f4f6fa'],
  ['backend', '#e8ecf4'],
  ['active_up', '#c3efc0'],
  ['backup_up', '#d5eef9'],
  ['active_going_down', '#ffe9a6'],
  ['backup_going_down', '#dcd3f5'],
  ['active_going_up', '#ffd9a0'],
  ['backup_going_up', '#f6ccec'],
  ['active_down', '#ffb3ad'],
  ['backup_down', '#ffb3ad'],
  ['active_no_check', '#f1f1f1'],
  ['backup_no_check', '#f1f1f1'],
  ['active_draining', '#b9d4f7'],
  ['backup_draining', '#b9d4f7'],
  ['maintain', '#d9b99b'],
];

export const STYLE = `
body { font: 13px/1.4 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2430; background: #fff; margin: 1.2em; }
h1 { font-size: 1.5em; margin: 0; }
h2 { font-size: 1.1em; font-weight: normal; color: #55606e; margin: 0 0 1em; }
h3 { font-size: 1em; margin: 0 0 .3em; }
h3 small { font-weight: normal; color: #55606e; }
h3.proxy { font-size: 1.15em; margin: 1.4em 0 .3em; }
a { color: #1a4f9c; text-decoration: none; }
a:hover { text-decoration: underline; }
.general { display: flex; flex-wrap: wrap; gap: 1em 3em; padding: .8em 1em; background: #f6f7f9; border-radius: 6px; }
dl { display: grid; grid-template-columns: auto auto; gap: 0 1em; margin: 0; justify-content: start; }
dt { color: #55606e; }
dd { margin: 0; }
ul { list-style: none; margin: 0; padding: 0; }
.legend ul { columns: 2; column-gap: 2em; }
.legend li span { display: inline-block; width: 1.4em; height: .9em; margin-right: .5em; border: 1px solid #0002; vertical-align: -.1em; }
.message { padding: .5em 1em; border-radius: 6px; }
table { border-collapse: collapse; font-size: 11px; min-width: 100%; }
th, td { padding: 2px 6px; white-space: nowrap; }
thead th { background: #33415c; color: #fff; font-weight: 600; border-left: 1px solid #fff3; }
tbody th { text-align: left; }
tbody tr { border-bottom: 1px solid #fff; }
td { text-align: right; font-variant-numeric: tabular-nums; }
td.first { border-left: 1px solid #0002; }
td.centre { text-align: center; }
.alarm { color: #b00020; }
.tipped { position: relative; border-bottom: 1px dotted #55606e; cursor: help; }
.tips { display: none; position: absolute; right: 0; top: 100%; z-index: 1; grid-template-columns: auto auto; gap: 0 1em; padding: .5em .8em; text-align: left; background: #fffef2; border: 1px solid #0003; border-radius: 4px; box-shadow: 0 2px 8px #0003; }
.tips b { text-align: right; }
.tipped:hover .tips { display: grid; }
.actions { margin: .4em 0; }
${ROWS.map(([className, colour]) => `.${className} { background: ${colour}; }`).join('\n')}
`;
