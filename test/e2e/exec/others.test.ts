/** Other programs of IPVS under `ulvs exec`: ldirectord, and node_exporter's collector. */
import { symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { until } from '../testbed.js';
import { ExecBed } from './bed.js';

if (!isRoot) console.log('exec: skipped, needs root for namespaces');

const web = (address: string) =>
  `require('http').createServer((q, a) => a.end('alive')).listen(8080, '${address}', () => console.log('ready'))`;
const LDIRECTORD = `checktimeout = 2
checkinterval = 1
autoreload = no
quiescent = no
logfile = "/dev/null"
virtual = 10.1.0.100:80
        real = 10.2.0.11:8080 masq 3
        real = 10.2.0.12:8080 masq 5
        fallback = 10.2.0.13:8080 masq
        service = http
        scheduler = wrr
        protocol = tcp
        checktype = negotiate
        checkport = 8080
        request = "/"
        receive = "alive"
`;

describe.skipIf(!isRoot)('under ulvs exec', () => {
  let bed: ExecBed;
  beforeAll(async () => {
    bed = new ExecBed('xoth');
    await bed.up('-c', bed.config('empty.yaml'));
  });
  afterAll(() => bed.remove());

  it('ldirectord fills the table and follows its checks', async () => {
    const first = await bed.serve(bed.servers, web('10.2.0.11'));
    await bed.serve(bed.servers, web('10.2.0.12'));
    const file = bed.file('ldirectord.cf', LDIRECTORD);
    // It looks for ipvsadm in its working directory with -d, and in /sbin.
    symlinkSync(bed.program('ipvsadm'), `${bed.folder}/ipvsadm`);
    const line = `cd ${bed.folder} && exec perl ${bed.program('ldirectord')} -d ${file} start`;
    const running = bed.exec(['sh', '-c', line]);
    const both =
      'TCP  10.1.0.100:80 wrr\n  -> 10.2.0.11:8080               Masq    3\n  -> 10.2.0.12:8080               Masq    5';
    expect(await bed.tableBecomes(both)).toBe(both);
    first.kill('SIGKILL');
    const one = both.replace(/\n.*11:8080.*/, '');
    expect(await bed.tableBecomes(one)).toBe(one);
    running.kill('SIGTERM');
    await running.ended;
    expect(await bed.tableBecomes('')).toBe('');
  });

  it('node_exporter reads /proc/net/ip_vs_stats and ip_vs', async () => {
    await bed.admin('-A -t 10.1.0.100:80 -s rr');
    await bed.admin('-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 7');
    const words = [
      'prometheus-node-exporter',
      '--collector.disable-defaults',
      '--collector.ipvs',
      '--web.listen-address=127.0.0.1:9199',
    ];
    const exporter = bed.exec(words, { options: ['--proc', 'every'] });
    const read = () => bed.try(bed.director, 'curl -s http://127.0.0.1:9199/metrics');
    await until(() => read().includes('node_ipvs'));
    const metrics = read();
    expect(metrics).toContain('node_ipvs_connections_total 0');
    expect(metrics).toMatch(
      /node_ipvs_backend_weight\{.*local_address="10.1.0.100".*remote_address="10.2.0.11".*\} 7\n/,
    );
    exporter.kill('SIGTERM');
    await exporter.ended;
  });
});
