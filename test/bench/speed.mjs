import { proveBalancer, startBalancer } from './lab.mjs';
import { cpuMicroseconds, memoryKiB } from './processes.mjs';
import { load } from './wrk.mjs';

/**
 * Measure one workload: every balancer up at once, one loaded at a time, rounds interleaved (A B C A B C …), so that
 * a slow second of the machine strikes all alike.
 * Gives one row per balancer: { name, rounds: [{ rate, p99, cpu, share, connections }], memory, failures }.
 * `rate` in requests/s, `p99` in milliseconds, `cpu` in microseconds a request, `share` of one core that the balancer
 * used, `connections` to the origins per request.
 */
export async function measureSpeed(lab, kinds, workload, { rounds, seconds, warmup, connections, progress }) {
  const balancers = [];
  try {
    for (const kind of kinds) balancers.push(await startBalancer(lab, kind, workload));
    const settings = { headers: workload.headers, connections, core: lab.cores.rest };
    const rows = balancers.map((balancer) => ({ name: balancer.kind.name, rounds: [], failures: [] }));
    for (const [index, balancer] of balancers.entries()) {
      progress(`${workload.name}: warming ${balancer.kind.name}`);
      const problem = await proveBalancer(lab, balancer, workload);
      if (problem) rows[index].failures.push(problem);
      else await load({ ...settings, url: balancer.url, seconds: warmup });
    }
    for (let round = 1; round <= rounds; round++) {
      for (const [index, balancer] of balancers.entries()) {
        if (rows[index].failures.length > 0) continue;
        progress(`${workload.name}: round ${round}/${rounds} ${balancer.kind.name}`);
        const result = await measureRound(lab, balancer, { ...settings, seconds });
        rows[index].rounds.push(result);
        rows[index].failures.push(...result.failures.map((text) => `round ${round}: ${text}`));
        rows[index].memory = memoryKiB(balancer.pid);
      }
    }
    return rows;
  } finally {
    for (const balancer of balancers) await balancer.stop();
  }
}

async function measureRound(lab, balancer, settings) {
  const accepted = await lab.accepts();
  const cpuBefore = cpuMicroseconds(balancer.pid);
  const wallBefore = process.hrtime.bigint();
  const run = await load({ ...settings, url: balancer.url });
  const cpu = cpuMicroseconds(balancer.pid) - cpuBefore;
  const wall = Number(process.hrtime.bigint() - wallBefore) / 1000;
  if (run.requests === 0) return { ...NOTHING, failures: [...run.failures, 'no request was answered'] };
  return {
    rate: run.requests / run.seconds,
    p99: run.p99,
    cpu: cpu / run.requests,
    share: cpu / wall,
    connections: ((await lab.accepts()) - accepted) / run.requests,
    failures: run.failures,
  };
}

const NOTHING = { rate: 0, p99: Number.NaN, cpu: Number.NaN, share: 0, connections: 0 };
