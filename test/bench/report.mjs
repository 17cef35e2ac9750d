/** Figures into text. Pure. */

/** { median, min, max } of the rounds of one figure. */
export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/**
 * One workload as figures. `ratio` is CPU a request against HAProxy's, taken round by round: neighbours in time.
 * A balancer whose requests failed has `failures` and no figures.
 */
export function summarize(workload, rows) {
  const base = rows.find((row) => row.name === 'haproxy');
  return {
    workload: workload.name,
    about: workload.about,
    balancers: rows.map((row) => {
      if (row.failures.length > 0) return { name: row.name, failures: row.failures };
      const figure = (field) => spread(row.rounds.map((round) => round[field]));
      return {
        name: row.name,
        failures: [],
        rate: figure('rate'),
        p99: figure('p99'),
        cpu: figure('cpu'),
        share: figure('share'),
        connections: figure('connections'),
        memory: row.memory,
        ratio: base?.failures.length === 0 ? ratio(row, base) : undefined,
      };
    }),
  };
}

/** The table of one workload and its last line, the verdict. */
export function speedTable(summary) {
  const rows = summary.balancers.map((b) =>
    b.failures.length > 0
      ? [
          b.name,
          `refused: ${b.failures[0]}${b.failures.length > 1 ? ` (and ${b.failures.length - 1} more)` : ''}`,
        ]
      : [
          b.name,
          range(b.rate, 0),
          range(b.p99, 2),
          range(b.cpu, 1),
          b.ratio ? b.ratio.median.toFixed(2) : '',
          `${(b.share.median * 100).toFixed(0)} %`,
          b.connections.median.toFixed(2),
          `${mebi(b.memory.resident)} / ${mebi(b.memory.peak)}`,
        ],
  );
  const head = [
    '',
    'requests/s',
    'p99 ms',
    'CPU µs/request',
    '×haproxy',
    'of core',
    'conn/req',
    'MiB now/peak',
  ];
  return `${summary.workload} · ${summary.about}\n${table([head, ...rows])}\n${verdict(summary)}`;
}

/** `keepalive: CPU per request lablb/haproxy = 0.87 …`, or why there is none. */
export function verdict(summary) {
  const engine = summary.balancers.find((b) => b.name === 'lablb');
  const label = `${summary.workload}: CPU per request lablb/haproxy`;
  if (!engine) return `${label}: the engine was not measured`;
  if (!engine.ratio) return `${label}: no figure, because requests failed`;
  return `${label} = ${engine.ratio.median.toFixed(2)}  (rounds ${engine.ratio.min.toFixed(2)}–${engine.ratio.max.toFixed(2)})`;
}

/** What makes these figures less trustworthy than they look, as sentences. */
export function noiseNotes(summaries, { stolenShare, loadBefore, cores, rounds }) {
  const notes = [];
  if (cores.balancer === undefined)
    notes.push('processes are not pinned (no taskset, or one core): figures wander more');
  else
    notes.push(
      `balancer on core ${cores.balancer}; load generator, origins and log sink on core ${cores.rest}`,
    );
  if (loadBefore > 0.5)
    notes.push(
      `the machine was busy before the first round (load average ${loadBefore.toFixed(1)}): repeat on a quiet one`,
    );
  if (stolenShare > 0.01)
    notes.push(`the hypervisor took ${(stolenShare * 100).toFixed(1)} % of the CPU time`);
  if (rounds < 3) notes.push(`only ${rounds} rounds: a median of so few says little`);
  for (const summary of summaries) {
    for (const b of summary.balancers) {
      if (b.cpu && b.cpu.max > b.cpu.min * 1.15) {
        notes.push(
          `${summary.workload}, ${b.name}: CPU per request spreads by ${((b.cpu.max / b.cpu.min - 1) * 100).toFixed(0)} % over the rounds`,
        );
      }
    }
  }
  return notes;
}

export function memoryTable(rows) {
  const head = ['', 'at start MiB', 'after load MiB', 'peak MiB', 'bytes per idle connection'];
  return table([
    head,
    ...rows.map((row) => [
      row.name,
      mebi(row.start),
      mebi(row.loaded),
      mebi(row.peak),
      `${Math.round(row.perConnection)} (${row.idle} held)`,
    ]),
  ]);
}

/** Columns padded to their widest cell: the first to the left, the others to the right. A lone second cell runs on. */
export function table(rows) {
  const full = rows.filter((row) => row.length > 2);
  const widths = rows[0].map((_, column) => Math.max(...full.map((row) => row[column].length)));
  widths[0] = Math.max(...rows.map((row) => row[0].length));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 || row.length === 2 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}

function ratio(row, base) {
  return spread(row.rounds.map((round, index) => round.cpu / base.rounds[index].cpu));
}

function range({ median, min, max }, digits) {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

function mebi(kibi) {
  return (kibi / 1024).toFixed(1);
}
