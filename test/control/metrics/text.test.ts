import { describe, expect, it } from 'vitest';
import { metricsText } from '../../../src/control/metrics/text.js';
import { HEALTH, SERVICES, STATUS } from './input.js';

const text = (destinations = true) =>
  metricsText({ status: STATUS, services: SERVICES, health: HEALTH }, { destinations });

/** The series of node_exporter's collector ipvs (collector/ipvs_linux.go): name, type, help, labels. */
const NODE_EXPORTER = [
  ['node_ipvs_connections_total', 'counter', 'The total number of connections made.'],
  ['node_ipvs_incoming_packets_total', 'counter', 'The total number of incoming packets.'],
  ['node_ipvs_outgoing_packets_total', 'counter', 'The total number of outgoing packets.'],
  ['node_ipvs_incoming_bytes_total', 'counter', 'The total amount of incoming data.'],
  ['node_ipvs_outgoing_bytes_total', 'counter', 'The total amount of outgoing data.'],
  ['node_ipvs_backend_connections_active', 'gauge', 'The current active connections by local and remote address.'],
  ['node_ipvs_backend_connections_inactive', 'gauge', 'The current inactive connections by local and remote address.'],
  ['node_ipvs_backend_weight', 'gauge', 'The current backend weight by local and remote address.'],
] as const;

describe('metrics', () => {
  it.each(NODE_EXPORTER)('%s is that of node_exporter', async (name, type, help) => {
    const lines = (await text()).split('\n');
    expect(lines).toContain(`# HELP ${name} ${help}`);
    expect(lines).toContain(`# TYPE ${name} ${type}`);
    expect(lines.some((line) => line.startsWith(name))).toBe(true);
  });

  it('labels backends as node_exporter does', async () => {
    const lines = (await text()).split('\n').filter((line) => line.startsWith('node_ipvs_backend_weight'));
    expect(lines).toEqual([
      'node_ipvs_backend_weight{local_address="10.0.0.100",local_port="80",remote_address="192.168.1.11",remote_port="8080",proto="TCP",local_mark=""} 0',
      'node_ipvs_backend_weight{local_address="",local_port="0",remote_address="192.168.1.11",remote_port="8080",proto="FWM",local_mark="00000010"} 4',
    ]);
  });

  it('has drops by reason, the table, workers and health', async () => {
    const all = await text();
    for (const line of [
      'ulvs_drops_total{reason="noRoute"} 10',
      'ulvs_frames_total{verdict="forwarded"} 60',
      'ulvs_syn_cookies_total{result="accepted"} 5',
      'ulvs_connection_table_entries 5',
      'ulvs_worker_frames_total{worker="0"} 70',
      'ulvs_service_quorate{service="-t 10.0.0.100:80"} 0',
      'ulvs_check_duration_seconds{service="-t 10.0.0.100:80",destination="192.168.1.11:8080",check="web"} 0.012',
      'ulvs_check_runs_total{service="-t 10.0.0.100:80",destination="192.168.1.11:8080",check="web",result="bad"} 4',
      'ulvs_service_connections_total{service="-f 16"} 3',
      'ulvs_worker_busy_seconds_total{worker="0"} 1.5',
      'ulvs_worker_stage_seconds_total{worker="0",stage="process"} 0.003',
      'ulvs_worker_batch_frames_bucket{worker="0",le="8"} 11',
      'ulvs_worker_batch_frames_bucket{worker="0",le="+Inf"} 12',
      'ulvs_worker_batch_frames_sum{worker="0"} 70',
      'ulvs_worker_latency_seconds_bucket{worker="0",le="0.000005"} 2',
      'ulvs_worker_latency_seconds_bucket{worker="0",le="+Inf"} 9',
      'ulvs_worker_latency_seconds_count{worker="0"} 9',
    ])
      expect(all.split('\n')).toContain(line);
  });

  it('is well-formed: each sample belongs to a family with help and type', async () => {
    const families = new Set<string>();
    for (const line of (await text()).split('\n')) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type !== null) families.add(type[1]!);
      if (line === '' || line.startsWith('#')) continue;
      const sample = /^([a-z_]+)(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? \d+(\.\d+)?$/.exec(line);
      expect({
        line,
        known: families.has((sample?.[1] ?? '').replace(/_(bucket|sum|count)$/, '')) || families.has(sample?.[1] ?? ''),
      }).toEqual({ line, known: true });
    }
    expect(families.size).toBeGreaterThan(25);
  });

  it('leaves destinations and checks out when told so', async () => {
    const short = await text(false);
    expect(short).not.toMatch(/destination=|remote_address=|check=/);
    expect(short).toContain('ulvs_service_up{service="-t 10.0.0.100:80"} 0');
  });
});
