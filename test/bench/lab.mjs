import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HAPROXY_CONFIGS, NGINX_CONFIGS, nginxOrigin, originFiles } from './balancers.mjs';
import { freePorts, start, stop, untilListening } from './processes.mjs';

/**
 * What stays up for a whole bench: two origins, a syslog sink, and a folder for them.
 * `cores` is { balancer, rest }, both undefined when processes cannot be pinned.
 */
export async function openLab(cores) {
  const folder = mkdtempSync(join(tmpdir(), 'lablb-bench-'));
  const root = join(folder, 'root');
  mkdirSync(root);
  for (const file of originFiles()) writeFileSync(join(root, file.name), file.body);
  const certificate = makeCertificate(folder);
  const origins = await freePorts(2);
  for (const [index, port] of origins.entries()) {
    await untilListening(
      startNginx(join(folder, `origin${index}`), nginxOrigin(port, root), cores.rest),
      port,
    );
  }
  const sink = start([process.execPath, fileURLToPath(new URL('./sink.mjs', import.meta.url))], {
    core: cores.rest,
    nice: 19,
  });
  return {
    folder,
    origins,
    certificate,
    cores,
    syslog: await sinkPort(sink),
    logLines: () => Number(/lines (\d+)\n$/.exec(sink.output.stdout)?.[1] ?? 0),
    accepts: async () => sum(await Promise.all(origins.map(acceptsOf))),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Start one balancer for a workload. `kind` is { name, engine: path of an HAProxy-like executable } or { name, nginx }. */
export async function startBalancer(lab, kind, workload) {
  const [listen] = await freePorts(1);
  const at = { listen, origins: lab.origins, certificate: lab.certificate, syslog: lab.syslog };
  const folder = join(lab.folder, `${kind.name}-${workload.name}-${listen}`);
  const started = kind.nginx
    ? startNginx(folder, NGINX_CONFIGS[workload.config](at), lab.cores.balancer)
    : startHaproxyLike(folder, kind.engine, HAPROXY_CONFIGS[workload.config](at), lab.cores.balancer);
  await untilListening(started, listen);
  return {
    ...started,
    kind,
    url: `${workload.tls ? 'https' : 'http'}://127.0.0.1:${listen}${workload.path}`,
    stop: () => stop(started),
  };
}

/** Ask a few times: a balancer that serves something else than asked, or does not log what it must, is not measured. */
export async function proveBalancer(lab, balancer, workload) {
  const linesBefore = lab.logLines();
  const host = workload.headers.find((header) => header.startsWith('Host: '))?.slice('Host: '.length);
  for (let request = 0; request < 4; request++) {
    const { status, bytes } = await fetchOnce(balancer.url, host ? { host } : {});
    if (status === 200 && bytes === workload.bytes) continue;
    return `${status} with ${bytes} bytes instead of 200 with ${workload.bytes}`;
  }
  for (let tries = 0; workload.logs && lab.logLines() < linesBefore + 4; tries++) {
    if (tries === 50) return 'no log line for each request';
    await sleep(100);
  }
  return undefined;
}

function startNginx(folder, config, core) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'nginx.conf'), config);
  return start(['nginx', '-p', `${folder}/`, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], { core });
}

function startHaproxyLike(folder, engine, config, core) {
  if (!existsSync(engine)) throw new Error(`${engine} is not there`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  return start([engine, '-f', join(folder, 'haproxy.cfg')], { core });
}

/** RSA with 2048 bits, as most certificates are: one file with its key, self-signed. */
function makeCertificate(folder) {
  const [cert, key] = ['bench.crt', 'bench.key'].map((name) => join(folder, name));
  const newKey = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=bench.test'];
  execFileSync('openssl', ['req', ...newKey, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const file = join(folder, 'bench.pem');
  writeFileSync(file, readFileSync(cert, 'latin1') + readFileSync(key, 'latin1'), { mode: 0o600 });
  return file;
}

async function sinkPort(sink) {
  for (let tries = 0; tries < 250; tries++) {
    const port = /^port (\d+)$/m.exec(sink.output.stdout)?.[1];
    if (port) return Number(port);
    await sleep(20);
  }
  throw new Error(`the syslog sink did not start: ${sink.output.stderr}`);
}

async function acceptsOf(port) {
  const { body } = await fetchOnce(`http://127.0.0.1:${port}/accepts`, {});
  return Number(/^ (\d+) \d+ \d+ $/m.exec(body)[1]);
}

function fetchOnce(url, headers) {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? getSecurely : get;
    ask(url, { headers, agent: false, timeout: 5000, rejectUnauthorized: false }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: response.statusCode, bytes: body.length, body: body.toString('latin1') });
      });
    })
      .on('timeout', function () {
        this.destroy(new Error(`no answer from ${url} in 5 s`));
      })
      .on('error', reject);
  });
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}
