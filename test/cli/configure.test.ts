/** `ulvs configure`: the HOWTO's lvs.conf, what is written for it, and mistakes in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configureCommand } from '../../src/cli/commands/configure.js';
import { assumedType, directorYaml } from '../../src/cli/configure/director.js';
import { LvsConfError, parseLvsConf } from '../../src/cli/configure/lvsconf.js';
import { HostNames } from '../../src/cli/configure/names.js';
import { realserverScript } from '../../src/cli/configure/realserver.js';
import { parseConfig } from '../../src/control/config/config.js';
import { PortNames } from '../../src/ulvsadm/names.js';
import { Random } from '../support/seed.js';

const HOSTS = new HostNames(`
10.0.0.100     lvs lvs2.mack.net   # the VIP
192.168.1.254  dip
192.168.1.1    router
192.168.1.11   realserver1
192.168.1.12   realserver2
192.168.1.13   realserver3
`);
const PORTS = new PortNames('telnet 23/tcp\nhttp 80/tcp www\ndomain 53/udp\n');

function parse(text: string) {
  return parseLvsConf(text, 'lvs.conf', HOSTS, PORTS);
}

/** The HOWTO's own files (5.3, 7.1, 26.4). */
const NAT = `VIP=eth0:110 lvs
DIP=eth0 dip
SERVICE=t telnet rr realserver1:telnet realserver2:telnet realserver3:telnet
#----------end lvs_nat.conf------------------------------------`;
const DR = `VIP=eth0:110 lvs
DIP=eth0 dip
SERVICE=t telnet rr realserver1 realserver2 realserver3`;
const TP = `#note director VIP device is TP
VIP=TP lvs lvs
DIP=eth0 dip
SERVICE=t telnet rr realserver1 realserver2
SERVER_VIP_DEVICE=TP
SERVER_GW=router`;

describe('lvs.conf', () => {
  it.each([
    ['NAT', NAT, 'nat'],
    ['DR', DR, 'dr'],
    ['TP', TP, 'dr'],
    ['Tun', `LVS_TYPE=VS_TUN\n${DR}`, 'tun'],
  ])('of the HOWTO, %s, gives a valid director.yaml', (_, text, type) => {
    const conf = parse(text);
    expect(conf.type).toBe(type);
    const config = parseConfig(directorYaml(conf, 'lvs.conf'), 'director.yaml');
    expect(config.ruleLines.map((line) => line.text)).toMatchSnapshot();
    expect(realserverScript(conf, 'lvs.conf')).toMatchSnapshot();
  });

  it('says which type it took when the file has none', () => {
    expect([NAT, DR, `LVS_TYPE=VS_TUN\n${DR}`].map((text) => assumedType(parse(text)))).toEqual([
      'no LVS_TYPE= line: taken as LVS-NAT (VS_NAT), because a server has a port',
      'no LVS_TYPE= line: taken as LVS-DR (VS_DR), because no server has a port',
      undefined,
    ]);
  });

  it('answers ARP for a VIP with a device, not for a VIP of TP', () => {
    expect(parseConfig(directorYaml(parse(NAT), 'x'), 'y').accept).toMatchObject({
      arp: true,
      ranges: ['10.0.0.100/32'],
    });
    expect(parseConfig(directorYaml(parse(TP), 'x'), 'y').accept).toMatchObject({
      arp: false,
      ranges: ['10.0.0.100/32'],
    });
  });

  it('has weights, ports by name and number, and UDP', () => {
    const conf = parse('VIP=eth0 lvs\nSERVICE=u domain wlc realserver1:5353,2 192.168.1.12');
    expect(conf.services[0]).toMatchObject({
      protocol: 'u',
      port: 53,
      servers: [
        { address: '192.168.1.11', port: 5353, weight: 2 },
        { address: '192.168.1.12', port: 53, weight: 1 },
      ],
    });
  });

  it.each([
    ['VIP=eth0', 'lvs.conf:1: VIP= needs a device and an address, like VIP=eth0 vip'],
    ['\nFOO=1', 'lvs.conf:2: FOO is not a setting of lvs.conf'],
    ['what', 'lvs.conf:1: "what" is not KEY=value'],
    ['SERVICE=x 80 rr realserver1', 'lvs.conf:1: SERVICE=x: begins with t (TCP) or u (UDP)'],
    ['SERVICE=t 80 rrr realserver1', '"rrr" is not a scheduler'],
    ['SERVICE=t nope rr realserver1', '"nope" is neither a port number nor a service'],
    ['SERVICE=t 80 rr nobody', '"nobody" is neither an address nor a name'],
    ['SERVICE=t 80 rr realserver1,heavy', 'realserver1,heavy: the weight after the comma'],
    ['LVS_TYPE=VS_X', 'LVS_TYPE=VS_X: is not VS_NAT, VS_DR or VS_TUN'],
    ['VIP=eth0 lvs', 'no SERVICE= line'],
  ])('with %j: the error names the line', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('of random words throws nothing but an LvsConfError', () => {
    const random = new Random();
    const parts = [
      'VIP',
      'DIP',
      'SERVICE',
      '=',
      ' ',
      '\n',
      't',
      'rr',
      'eth0:110',
      'lvs',
      ':',
      ',',
      '99999',
      '#',
      'realserver1',
      '\0',
    ];
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: random.below(30) }, () => parts[random.below(parts.length)]).join('');
      try {
        const conf = parse(text);
        realserverScript(conf, 'x');
      } catch (error) {
        expect(error, text).toBeInstanceOf(LvsConfError);
      }
    }
  });
});

describe('the command', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ulvs-configure-'));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(dir, { recursive: true });
  });

  it('names the file that it writes, on stdout and in the head of the file', async () => {
    const said: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
    const [conf, yaml, script] = [join(dir, 'lvs_nat.conf'), join(dir, 'nat.yaml'), join(dir, 'rc.nat')];
    writeFileSync(conf, 'LVS_TYPE=VS_NAT\nVIP=eth0 10.0.0.100\nSERVICE=t 80 rr 192.168.1.11');
    await configureCommand().parseAsync([conf, '--out', yaml, '--script', script], { from: 'user' });
    expect(readFileSync(yaml, 'utf8').split('\n')[0]).toBe(
      `# LVS-NAT, written by \`ulvs configure lvs_nat.conf\`. Check it, then: ulvs run -c ${yaml}`,
    );
    expect(said[0]).toBe(`${yaml}: the director's configuration (ulvs run -c ${yaml})`);
  });
});
