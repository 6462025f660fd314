/**
 * Debian's Prometheus judges the metrics: promtool the text and the alert rules, a server that scrapes them what the alert rules and
 * the dashboard ask for.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { AdminClient, AdminReply } from '../../../src/control/api/api.js';
import { serveMetrics } from '../../../src/control/metrics/server.js';
import { metricsText } from '../../../src/control/metrics/text.js';
import { toolWords } from '../../../src/lab/build/tool.js';
import { HEALTH, SERVICES, STATUS } from './input.js';

function words(name: string): string[] | undefined {
  try {
    return toolWords(name, 'prometheus');
  } catch (error) {
    console.log(`skipped: ${(error as Error).message}`);
    return undefined;
  }
}
const [PROMTOOL, PROMETHEUS] = ['promtool', 'prometheus'].map(words);

interface Panel {
  readonly title: string;
  readonly targets?: readonly { expr: string }[];
}
const DASHBOARD = (
  JSON.parse(readFileSync('examples/grafana-dashboard.json', 'utf8')) as { panels: readonly Panel[] }
).panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const ALERTS = [...readFileSync('examples/alerts.yml', 'utf8').matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr!);

/** Names of series in an expression: words that are neither functions nor labels. */
function seriesOf(expr: string): string[] {
  return expr.match(/\b(?:ulvs|node_ipvs)_\w+/g) ?? [];
}

it('every expression of the dashboard and of the alert rules is about series that the director has', async () => {
  const text = await metricsText({ status: STATUS, services: SERVICES, health: HEALTH }, { destinations: true });
  const samples = new Set([...text.matchAll(/^([a-z_]+)/gm)].map(([, name]) => name!));
  const asked = [...DASHBOARD.map(({ expr }) => expr), ...ALERTS].flatMap(seriesOf);
  expect(asked.filter((name) => !samples.has(name))).toEqual([]);
  expect(DASHBOARD.filter(({ expr }) => seriesOf(expr).length === 0)).toEqual([]);
  for (const name of ['busy_seconds_total', 'batch_frames_bucket', 'stage_seconds_total', 'latency_seconds_bucket'])
    expect(asked).toContain(`ulvs_worker_${name}`);
});

describe.skipIf(PROMTOOL === undefined)('promtool', () => {
  it('finds nothing to say about the metrics', async () => {
    const text = await metricsText({ status: STATUS, services: SERVICES, health: HEALTH }, { destinations: true });
    const [program, ...args] = PROMTOOL!;
    const found = spawnSync(program!, [...args, 'check', 'metrics'], { input: text, encoding: 'utf8' });
    // The names of node_exporter are what they are.
    const lines = `${found.stdout}${found.stderr}`.split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => !line.startsWith('node_ipvs_'))).toEqual([]);
    const bad = spawnSync(program!, [...args, 'check', 'metrics'], { input: 'a{b="c} 1\n', encoding: 'utf8' });
    expect(bad.status).not.toBe(0);
  });

  it('accepts the alert rules', () => {
    const [program, ...args] = PROMTOOL!;
    expect(execFileSync(program!, [...args, 'check', 'rules', 'examples/alerts.yml'], { encoding: 'utf8' })).toContain(
      `${ALERTS.length} rules found`,
    );
  });
});

describe.skipIf(PROMETHEUS === undefined)('a Prometheus that scrapes', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-prometheus-'));
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  const freePort = async () => {
    const server = net.createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
  };
  const replies: Partial<Record<string, AdminReply>> = {
    list: { ok: true, services: SERVICES },
    health: { ok: true, health: HEALTH },
    status: { ok: true, status: STATUS },
  };
  const client: AdminClient = { request: async ({ op }) => replies[op]! };

  /** The start of a Prometheus; resolves with a function that asks it. */
  async function start(): Promise<(expr: string) => Promise<unknown[]>> {
    const [port, own] = [await freePort(), await freePort()];
    const { close } = await serveMetrics({ host: '127.0.0.1', port }, { destinations: true }, client);
    const file = path.join(folder, 'prometheus.yml');
    const job = `{ job_name: ulvs, scrape_interval: 200ms, static_configs: [{ targets: ["127.0.0.1:${port}"] }] }`;
    writeFileSync(file, `scrape_configs: [${job}]\n`);
    const options = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${own}`,
    ];
    const [program, ...args] = [...PROMETHEUS!, ...options];
    const server = spawn(program!, args, { stdio: 'ignore' });
    const ended = new Promise((resolve) => server.once('exit', resolve));
    ends.push(close, () => server.kill('SIGKILL') && ended);
    return async (expr) => {
      const answer = await fetch(`http://127.0.0.1:${own}/api/v1/query?query=${encodeURIComponent(expr)}`);
      return ((await answer.json()) as { data?: { result: unknown[] } }).data?.result ?? [];
    };
  }

  it('has an answer to every expression of the dashboard, and every series', async () => {
    const ask = await start();
    const rate = 'rate(ulvs_frames_received_total[5s])';
    for (let i = 0; i < 300 && (await ask(rate).catch(() => [])).length === 0; i++) await sleep(100);
    const made = DASHBOARD.map(({ title, expr }) => ({
      title,
      expr: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5s'),
    }));
    const unanswered: string[] = [];
    for (const { title, expr } of made) if ((await ask(expr)).length === 0) unanswered.push(`${title}: ${expr}`);
    expect(unanswered).toEqual([]);
    expect(await ask('up{job="ulvs"} == 1')).toHaveLength(1);
    expect(await ask('histogram_quantile(0.5, ulvs_worker_batch_frames_bucket)')).toHaveLength(1);
  });
});
