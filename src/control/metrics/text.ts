/**
 * The metrics of a director in Prometheus' text format. Names and labels that begin with node_ipvs
 * are those of node_exporter's collector ipvs, so that existing dashboards work.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { ServiceStatus } from '../../health/spec.js';
import { endpoint, isFwmark, SCTP, type ServiceKey, UDP } from '../../service/config.js';
import { BATCH_BOUNDS, LATENCY_BOUNDS, STAGES } from '../../stats/loop-stats.js';
import type { DestinationEntry, DirectorStatus, ServiceEntry } from '../api/api.js';
import { serviceWords } from '../config/service-words.js';

/** What the metrics are read from. */
export interface MetricsInput {
  readonly status: DirectorStatus;
  readonly services: readonly ServiceEntry[];
  readonly health: readonly ServiceStatus[];
}

/** Which series there are: those of each destination may be too many. */
export interface MetricsDetail {
  readonly destinations: boolean;
}

type Labels = Record<string, string | number>;
type Sample = readonly [labels: Labels, value: number];
/** Counts by bucket, the last without an end, and the sum of all values. */
type Buckets = readonly [labels: Labels, counts: readonly number[], sum: number];

/** Labels of node_exporter's series of a backend, in its order. */
const BACKEND = ['local_address', 'local_port', 'remote_address', 'remote_port', 'proto', 'local_mark'];

/** The whole text. */
export function metricsText(input: MetricsInput, detail: MetricsDetail): Promise<string> {
  const page = new Page();
  director(page, input);
  nodeExporter(page, input, detail);
  traffic(page, input.services, detail);
  frames(page, input.status);
  table(page, input.status);
  loops(page, input.status);
  checks(page, input.health, detail);
  synchronisation(page, input.status);
  return page.text();
}

/** Adds families of series to a registry, which writes them. */
class Page {
  private readonly registry = new Registry();
  private readonly histograms: string[] = [];

  counter(name: string, help: string, samples: readonly Sample[], labelNames = namesOf(samples)): void {
    const counter = new Counter({ name, help, labelNames, registers: [this.registry] });
    if (labelNames.length > 0) counter.reset();
    for (const [labels, value] of samples) counter.inc(labels, Math.max(0, value));
  }

  gauge(name: string, help: string, samples: readonly Sample[], labelNames = namesOf(samples)): void {
    const gauge = new Gauge({ name, help, labelNames, registers: [this.registry] });
    for (const [labels, value] of samples) gauge.set(labels, value);
  }

  /** A classic histogram, whose counts are known already: prom-client's own takes observations. */
  histogram(name: string, help: string, bounds: readonly number[], all: readonly Buckets[]): void {
    const lines = all.flatMap(([labels, counts, sum]) => {
      const words = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
      let total = 0;
      const buckets = counts.map((count, i) => {
        total += count;
        return `${name}_bucket{${[...words, `le="${bounds[i] ?? '+Inf'}"`].join(',')}} ${total}`;
      });
      const own = `{${words.join(',')}}`;
      return [...buckets, `${name}_sum${own} ${sum}`, `${name}_count${own} ${total}`];
    });
    this.histograms.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, '');
  }

  async text(): Promise<string> {
    return `${await this.registry.metrics()}\n${this.histograms.join('\n')}`;
  }
}

function namesOf(samples: readonly Sample[]): string[] {
  return Object.keys(samples[0]?.[0] ?? {});
}

function director(page: Page, { status }: MetricsInput): void {
  page.gauge('ulvs_build_info', 'Version of the director; always 1.', [[{ version: status.version }, 1]]);
  page.gauge('ulvs_uptime_seconds', 'Time since the start of the director.', [[{}, status.uptime]]);
  page.gauge('ulvs_services', 'Number of services.', [[{}, status.services]]);
  page.gauge('ulvs_destinations', 'Number of destinations.', [[{}, status.destinations]]);
}

function synchronisation(page: Page, { sync: { counters } }: DirectorStatus): void {
  const samples = Object.entries(counters).map(([counter, value]): Sample => [{ counter }, value]);
  page.counter('ulvs_sync_total', 'Connection synchronisation, by counter of ulvs stats.', samples);
}

function nodeExporter(
  page: Page,
  { status: { total }, services }: MetricsInput,
  { destinations }: MetricsDetail,
): void {
  page.counter('node_ipvs_connections_total', 'The total number of connections made.', [[{}, total.conns]]);
  page.counter('node_ipvs_incoming_packets_total', 'The total number of incoming packets.', [[{}, total.inpkts]]);
  page.counter('node_ipvs_outgoing_packets_total', 'The total number of outgoing packets.', [[{}, total.outpkts]]);
  page.counter('node_ipvs_incoming_bytes_total', 'The total amount of incoming data.', [[{}, total.inbytes]]);
  page.counter('node_ipvs_outgoing_bytes_total', 'The total amount of outgoing data.', [[{}, total.outbytes]]);
  if (!destinations) return;
  const backend = (name: string, help: string, value: (one: DestinationEntry) => number) =>
    page.gauge(name, help, backends(services, value), BACKEND);
  backend(
    'node_ipvs_backend_connections_active',
    'The current active connections by local and remote address.',
    ({ activeConns }) => activeConns,
  );
  backend(
    'node_ipvs_backend_connections_inactive',
    'The current inactive connections by local and remote address.',
    ({ inactConns }) => inactConns,
  );
  backend(
    'node_ipvs_backend_weight',
    'The current backend weight by local and remote address.',
    ({ weight, present }) => present?.weight ?? weight,
  );
}

function backends(services: readonly ServiceEntry[], value: (one: DestinationEntry) => number): Sample[] {
  return services.flatMap(({ key, destinations }) =>
    destinations.map((one): Sample => [backendLabels(key, one), value(one)]),
  );
}

/** As in procfs (IPVSBackendStatus): a service by fwmark has no address or port of its own. */
function backendLabels(key: ServiceKey, { address, port }: DestinationEntry): Labels {
  const mark = isFwmark(key);
  return {
    local_address: mark ? '' : key.address,
    local_port: mark ? 0 : key.port,
    remote_address: address,
    remote_port: port,
    proto: mark ? 'FWM' : ({ [UDP]: 'UDP', [SCTP]: 'SCTP' }[key.protocol] ?? 'TCP'),
    local_mark: mark ? key.fwmark.toString(16).toUpperCase().padStart(8, '0') : '',
  };
}

const TRAFFIC = [
  ['connections', 'Connections', 'conns'],
  ['incoming_packets', 'Packets from clients', 'inpkts'],
  ['outgoing_packets', 'Packets to clients', 'outpkts'],
  ['incoming_bytes', 'Bytes from clients', 'inbytes'],
  ['outgoing_bytes', 'Bytes to clients', 'outbytes'],
] as const;

function traffic(page: Page, services: readonly ServiceEntry[], { destinations }: MetricsDetail): void {
  for (const [name, help, column] of TRAFFIC) {
    const ofServices = services.map(({ key, stats }): Sample => [{ service: serviceWords(key) }, stats[column]]);
    page.counter(`ulvs_service_${name}_total`, `${help}, by service.`, ofServices, ['service']);
    if (!destinations) continue;
    const each = services.flatMap(({ key, destinations: some }) =>
      some.map(({ address, port, stats }): Sample => {
        return [{ service: serviceWords(key), destination: endpoint(address, port) }, stats[column]];
      }),
    );
    page.counter(`ulvs_destination_${name}_total`, `${help}, by destination.`, each, ['service', 'destination']);
  }
}

/** Verdicts of frames; the rest of `frames` are bytes and frames of other kinds. */
const VERDICTS = ['forwarded', 'delivered', 'passed', 'dropped'];

/** Ends of the names of the SYN proxy's counters. */
const COOKIES = ['Sent', 'Accepted', 'Refused'];

function frames(page: Page, { frames: counts, drops, devices }: DirectorStatus): void {
  const by = (names: readonly string[], label: string): Sample[] =>
    names.map((name) => [{ [label]: name }, counts[name] ?? 0]);
  page.counter('ulvs_frames_received_total', 'Frames that came in.', [[{}, counts.in ?? 0]]);
  page.counter('ulvs_frames_total', 'Frames that came in, by verdict.', by(VERDICTS, 'verdict'));
  const cookies = COOKIES.map((result): Sample => [{ result: result.toLowerCase() }, counts[`cookies${result}`] ?? 0]);
  page.counter('ulvs_syn_cookies_total', 'Cookies of the SYN proxy that were sent, accepted and refused.', cookies);
  page.counter('ulvs_frames_originated_total', 'Frames that the director made.', [[{}, counts.originated ?? 0]]);
  page.counter('ulvs_frames_sent_total', 'Frames that went out.', [[{}, counts.out ?? 0]]);
  page.counter('ulvs_received_bytes_total', 'Bytes of frames that came in.', [[{}, counts.inBytes ?? 0]]);
  page.counter('ulvs_sent_bytes_total', 'Bytes of frames that went out.', [[{}, counts.outBytes ?? 0]]);
  const reasons = drops.map(({ name, packets }): Sample => [{ reason: name }, packets]);
  page.counter('ulvs_drops_total', 'Dropped frames, by reason (docs/drops.md).', reasons, ['reason']);
  const ofDevices = devices.flatMap(({ name, kind, stats }) =>
    Object.entries(stats).map(([counter, value]): Sample => [{ device: name, kind, counter }, value]),
  );
  const labels = ['device', 'kind', 'counter'];
  page.counter('ulvs_device_total', 'Counters of devices, as of ulvs stats.', ofDevices, labels);
}

function table(page: Page, { table: { used, max }, workers }: DirectorStatus): void {
  page.gauge('ulvs_connection_table_entries', 'Entries of the connection table in use.', [[{}, used]]);
  page.gauge('ulvs_connection_table_size', 'Entries that the connection table has room for.', [[{}, max]]);
  page.counter(
    'ulvs_worker_frames_total',
    'Frames that a worker has processed.',
    workers.map((one, worker) => [{ worker }, one.frames]),
  );
  page.gauge(
    'ulvs_worker_connection_table_entries',
    'Entries in use, by worker.',
    workers.map((one, worker) => [{ worker }, one.used]),
  );
}

/** Histograms by worker, and the time of each stage. */
function loops(page: Page, { workers }: DirectorStatus): void {
  const all = workers.flatMap(({ loop }, worker) => (loop === undefined ? [] : [{ loop, labels: { worker } }]));
  page.counter(
    'ulvs_worker_busy_seconds_total',
    'Time of turns that received frames; its rate is the load of the worker.',
    all.map(({ loop, labels }) => [labels, loop.busySeconds]),
    ['worker'],
  );
  page.counter(
    'ulvs_worker_sampled_frames_total',
    'Frames of measured turns, one turn of 64.',
    all.map(({ loop, labels }) => [labels, loop.sampledFrames]),
    ['worker'],
  );
  const stages = all.flatMap(({ loop, labels }) =>
    STAGES.map((stage, i): Sample => [{ ...labels, stage }, loop.stageSeconds[i]!]),
  );
  page.counter('ulvs_worker_stage_seconds_total', 'Time of each stage of measured turns.', stages, ['worker', 'stage']);
  const batches = all.map(({ loop, labels }): Buckets => [labels, loop.batches, loop.frames]);
  page.histogram('ulvs_worker_batch_frames', 'Frames that a turn received.', BATCH_BOUNDS, batches);
  const seconds = LATENCY_BOUNDS.map((us) => us / 1e6);
  const latencies = all.map(({ loop, labels }): Buckets => [labels, loop.latencies, loop.latencySum]);
  page.histogram(
    'ulvs_worker_latency_seconds',
    'Time of frames in the director, from their reception to their sending; of measured turns.',
    seconds,
    latencies,
  );
}

function checks(page: Page, health: readonly ServiceStatus[], { destinations }: MetricsDetail): void {
  const services = (value: (one: ServiceStatus) => number): Sample[] =>
    health.map((one) => [{ service: one.name }, value(one)]);
  page.gauge(
    'ulvs_service_up',
    'Destinations with checks that are up.',
    services(({ up }) => up),
    ['service'],
  );
  page.gauge(
    'ulvs_service_quorate',
    '1 while the quorum is reached.',
    services((one) => Number(one.quorate)),
    ['service'],
  );
  if (!destinations) return;
  const targets = health.flatMap(({ name: service, targets: all }) =>
    all.map((one) => ({ labels: { service, destination: one.name }, one })),
  );
  const by = ['service', 'destination'];
  page.gauge(
    'ulvs_destination_up',
    '1 while the checks are up.',
    targets.map(({ labels, one }) => [labels, Number(one.up)]),
    by,
  );
  page.counter(
    'ulvs_destination_changes_total',
    'Times that it went up or down.',
    targets.map(({ labels, one }) => [labels, one.changes]),
    by,
  );
  const each = targets.flatMap(({ labels, one }) =>
    one.checks.map((check) => ({ labels: { ...labels, check: check.id }, check })),
  );
  const names = [...by, 'check'];
  page.gauge(
    'ulvs_check_up',
    '1 while the check is up.',
    each.map(({ labels, check }) => [labels, Number(check.up)]),
    names,
  );
  page.gauge(
    'ulvs_check_duration_seconds',
    'Duration of the last check.',
    each.map(({ labels, check }) => [labels, check.took / 1000]),
    names,
  );
  const results = each.flatMap(({ labels, check }): Sample[] => [
    [{ ...labels, result: 'good' }, check.passed],
    [{ ...labels, result: 'bad' }, check.failed],
  ]);
  page.counter('ulvs_check_runs_total', 'Checks that have run.', results, [...names, 'result']);
}
