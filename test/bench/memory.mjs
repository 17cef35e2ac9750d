import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { proveBalancer, startBalancer } from './lab.mjs';
import { memoryKiB } from './processes.mjs';
import { WORKLOADS } from './workloads.mjs';
import { load } from './wrk.mjs';

/**
 * Measure memory in two fresh processes a balancer: one under load, one that holds idle keep-alive connections, each of
 * which has made one request.
 * Gives { name, start, loaded, peak (KiB), idle: connections held, perConnection (bytes) }.
 */
export async function measureMemory(lab, kinds, { seconds, connections, idle = 1000, progress }) {
  const workload = WORKLOADS.find((w) => w.name === 'keepalive');
  const rows = [];
  for (const kind of kinds) {
    progress(`memory: ${kind.name} under load`);
    const underLoad = await memoryUnderLoad(lab, kind, workload, { seconds, connections });
    progress(`memory: ${kind.name} with ${idle} idle connections`);
    const idling = await memoryOfIdleConnections(lab, kind, workload, idle);
    rows.push({ name: kind.name, ...underLoad, ...idling });
  }
  return rows;
}

async function memoryUnderLoad(lab, kind, workload, { seconds, connections }) {
  const balancer = await startBalancer(lab, kind, workload);
  try {
    const { resident: start } = memoryKiB(balancer.pid);
    const problem = await proveBalancer(lab, balancer, workload);
    if (problem) throw new Error(`${kind.name}: ${problem}`);
    const run = await load({ url: balancer.url, headers: [], connections, seconds, core: lab.cores.rest });
    if (run.failures.length > 0) throw new Error(`${kind.name}: ${run.failures.join(', ')}`);
    await sleep(1000);
    const { resident: loaded, peak } = memoryKiB(balancer.pid);
    return { start, loaded, peak };
  } finally {
    await balancer.stop();
  }
}

async function memoryOfIdleConnections(lab, kind, workload, idle) {
  const balancer = await startBalancer(lab, kind, workload);
  const agent = new Agent({ keepAlive: true, maxSockets: idle, maxFreeSockets: idle });
  try {
    for (let warm = 0; warm < 20; warm++) await proveBalancer(lab, balancer, workload);
    const before = memoryKiB(balancer.pid).resident;
    // All of a batch at once, and none of them done with until all are: so each request has a connection of its own.
    await Promise.all(Array.from({ length: idle }, () => askOver(agent, balancer.url)));
    await sleep(1000);
    const held = Object.values(agent.freeSockets).flat().length;
    if (held !== idle) throw new Error(`${kind.name} kept ${held} of ${idle} idle connections`);
    return { idle, perConnection: ((memoryKiB(balancer.pid).resident - before) * 1024) / idle };
  } finally {
    agent.destroy();
    await balancer.stop();
  }
}

function askOver(agent, url) {
  return new Promise((resolve, reject) => {
    get(url, { agent, timeout: 10_000 }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} gave ${response.statusCode}`));
      response.resume().on('end', resolve).on('error', reject);
    })
      .on('timeout', function () {
        this.destroy(new Error(`no answer from ${url} in 10 s`));
      })
      .on('error', reject);
  });
}
