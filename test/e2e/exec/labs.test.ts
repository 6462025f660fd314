/**
 * Debian's keepalived under `ulvs exec` in labs: it fills the director's table, a realserver's program
 * ends and comes back, and the lab's client sees no error once keepalived has noticed. ULVS_LABS=all
 * runs each lab of LABS, one name that one; without it one runs, for the time that it takes.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SocketClient } from '../../../src/control/api/client.js';
import { socketPath } from '../../../src/lab/build/config.js';
import { keepalivedWords } from '../../../src/lab/build/keepalived.js';
import { down, type Lab, restartProgram, stopProgram, track, up } from '../../../src/lab/build/lab.js';
import { start, stop } from '../../../src/lab/build/process.js';
import { directoryOf, namespaceOf, program } from '../../../src/lab/names.js';
import { findTopology } from '../../../src/lab/topologies/index.js';
import type { Topology } from '../../../src/lab/topology.js';
import { endpoint } from '../../../src/service/config.js';
import { isRoot } from '../../support/netns.js';

vi.setConfig({ testTimeout: 120_000 });

const LABS = ['nat', 'dr', 'tun', 'ipv6-nat', 'ipv6-dr'];
const { ULVS_LABS: asked = 'ipv6-dr' } = process.env;
const chosen = asked === 'all' ? LABS : LABS.filter((name) => name === asked);
const words = keepalivedWords();
const reason = isRoot ? words === undefined && 'needs keepalived: scripts/setup.sh programs' : 'needs root';
if (reason) console.log(`exec in labs: skipped, ${reason}`);

/** keepalived's words for -m, -g, -i. */
const KINDS: Readonly<Record<string, string>> = { '-m': 'NAT', '-g': 'DR', '-i': 'TUN' };
const CHECK = 'TCP_CHECK {\n connect_timeout 1\n retry 0\n delay_before_retry 1\n }';
/** Requests of the client after each step. */
const REQUESTS = 12;

/** `[2001:db8::1]:80` as keepalived has it: `2001:db8::1 80`. */
function blank(end: string): string {
  return end.replace(/^\[?([^\]]*)\]?:(\d+)$/, '$1 $2');
}

/** The TCP service of a lab's rules, as keepalived.conf. */
function configuration({ rules }: Topology): string {
  const tcp = rules.map((line) => line.split(' ')).filter((line) => line[1] === '-t');
  const [[, , service, , scheduler], ...destinations] = tcp as [string[], ...string[][]];
  const method = destinations[0]!.find((word) => word in KINDS)!;
  const servers = destinations.map((line) => `real_server ${blank(line[4]!)} {\n weight 1\n ${CHECK}\n }`);
  return `virtual_server ${blank(service!)} {
 delay_loop 1
 lb_algo ${scheduler}
 lb_kind ${KINDS[method]}
 protocol TCP
 ${servers.join('\n ')}
}
`;
}

/** A lab whose table keepalived fills. */
class KeptLab {
  private constructor(private readonly lab: Lab) {}

  static async up(name: string): Promise<KeptLab> {
    return new KeptLab(await up(findTopology(name), { device: 'packet' }));
  }

  async close(): Promise<void> {
    await down(this.lab);
  }

  /** Empties the table and starts keepalived; returns its record. */
  async keepalived() {
    const { id, spec } = this.lab;
    const client = new SocketClient(socketPath(id));
    await client.request({ op: 'flush' });
    client.close();
    const file = `${directoryOf(id)}/services.conf`;
    writeFileSync(file, configuration(spec));
    const pids = ['-p', '-c', '-r'].flatMap((option) => [option, `${directoryOf(id)}/pid${option}`]);
    const exec = [process.execPath, program('cli/main.js'), 'exec', '--socket', socketPath(id), '--'];
    const all = [...exec, ...words!, '-n', '-l', '-D', '-f', file, ...pids];
    const log = `${directoryOf(id)}/exec.log`;
    return track(this.lab, start('exec', namespaceOf(id, 'director'), log, all));
  }

  end = (running: Parameters<typeof stop>[0][number]) => stop([running], 20_000);
  kill = (server: string) => stopProgram(this.lab, server);
  revive = (server: string) => restartProgram(this.lab, server);

  /** Destinations of all services. */
  private async destinations(): Promise<number> {
    const client = new SocketClient(socketPath(this.lab.id));
    try {
      const reply = await client.request({ op: 'list' });
      if (!reply.ok) throw new Error(reply.text);
      return reply.services!.reduce((sum, { destinations }) => sum + destinations.length, 0);
    } finally {
      client.close();
    }
  }

  /** Waits until the table has so many destinations; returns how many ms that took. */
  async until(wanted: number): Promise<number> {
    const begin = performance.now();
    for (let n = -1; n !== wanted; await sleep(50)) {
      if (performance.now() - begin > 30_000) throw new Error(`${n} destinations, not ${wanted}`);
      n = await this.destinations();
    }
    return Math.round(performance.now() - begin);
  }

  /** What curl ends with, request by request. */
  async curl(): Promise<string[]> {
    const { id, spec } = this.lab;
    const url = `http://${endpoint(spec.vips[0]!, spec.httpPort)}/`;
    const line = ['netns', 'exec', namespaceOf(id, 'client'), 'curl', '-g', '-s', '-m', '5', '-o', '/dev/null', url];
    const codes: string[] = [];
    for (let i = 0; i < REQUESTS; i++)
      codes.push(
        await promisify(execFile)('ip', line).then(
          () => 'ok',
          (error: { code: number }) => `exit ${error.code}`,
        ),
      );
    return codes;
  }
}

const FINE = Array(REQUESTS).fill('ok');

describe.skipIf(Boolean(reason))('keepalived in a lab', () => {
  let lab: KeptLab | undefined;
  afterEach(() => lab?.close());

  it.each(chosen)('%s: a realserver dies and comes back, and no request fails', async (name) => {
    lab = await KeptLab.up(name);
    const running = await lab.keepalived();
    const filled = await lab.until(3);
    expect(await lab.curl()).toEqual(FINE);
    await lab.kill('rs1');
    const out = await lab.until(2);
    expect(await lab.curl()).toEqual(FINE);
    await lab.revive('rs1');
    const back = await lab.until(3);
    expect(await lab.curl()).toEqual(FINE);
    await lab.end(running);
    const left = await lab.until(0);
    if (process.env.ULVS_LABS !== undefined)
      console.log(`${name}: filled ${filled}, out ${out}, back ${back}, left ${left} ms`);
  });
});
