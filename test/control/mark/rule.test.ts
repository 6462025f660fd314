import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../../src/control/mark/rule.js';
import { MarkRuleError } from '../../../src/control/mark/words.js';
import { Random } from '../../support/seed.js';

/** What the rule says besides its text and a target of mark 1. */
function matchOf(words: string) {
  const { text, clear, flip, ...match } = parseMarkRule(`${words} -j MARK --set-mark 1`);
  expect([text, clear, flip]).toEqual([`${words} -j MARK --set-mark 1`.trim(), 0xffff_ffff, 1]);
  return match;
}

function targetOf(words: string) {
  const { clear, flip } = parseMarkRule(`-j MARK ${words}`);
  return { clear, flip };
}

function sentence(words: string): string {
  try {
    parseMarkRule(words);
  } catch (error) {
    if (error instanceof MarkRuleError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('matches', () => {
  it('the rule of the design page', () => {
    expect(matchOf('-i eth0 -s 10.0.0.0/8 -d 10.9.0.0/16 -p tcp --dport 80')).toEqual({
      family: 4,
      device: { name: 'eth0', negated: false },
      src: { address: '10.0.0.0', length: 8, negated: false },
      dst: { address: '10.9.0.0', length: 16, negated: false },
      protocol: { protocol: 6, negated: false },
      dports: { ranges: [[80, 80]], negated: false },
    });
  });

  it('the same in long words, values behind =, behind the program, in mangle', () => {
    const long = '--in-interface=eth0 --source 10.0.0.0/255.0.0.0 --destination 10.9.0.0/16 --protocol TCP -m tcp';
    const line = `iptables -t mangle -A PREROUTING ${long} --destination-port=80 -m comment --comment "a -j b"`;
    expect(matchOf(line)).toEqual(matchOf('-i eth0 -s 10.0.0.0/8 -d 10.9.1.2/16 -p 6 --dport 80'));
  });

  it('negations', () => {
    expect(matchOf('! -i eth+ ! -s 10.0.0.1 ! -d 10.9.0.0/16 ! -p udp')).toEqual({
      family: 4,
      device: { name: 'eth+', negated: true },
      src: { address: '10.0.0.1', length: 32, negated: true },
      dst: { address: '10.9.0.0', length: 16, negated: true },
      protocol: { protocol: 17, negated: true },
    });
  });

  it('ports: one, a range, open ranges, many, source', () => {
    const of = (words: string) => matchOf(`-p udp ${words}`);
    expect(of('--dport 80:90').dports).toEqual({ ranges: [[80, 90]], negated: false });
    expect(of('--sport :90 ! --dport 1024:')).toMatchObject({
      sports: { ranges: [[0, 90]], negated: false },
      dports: { ranges: [[1024, 65535]], negated: true },
    });
    expect(of('-m multiport --dports 80,443,8000:8010').dports?.ranges).toEqual([
      [80, 80],
      [443, 443],
      [8000, 8010],
    ]);
    expect(of('-m multiport ! --sports 1').sports).toEqual({ ranges: [[1, 1]], negated: true });
  });

  it('TCP flags', () => {
    expect(matchOf('-p tcp --syn').tcpFlags).toEqual({ mask: 0x17, value: 0x02, negated: false });
    expect(matchOf('-p tcp ! --tcp-flags ALL SYN,ack').tcpFlags).toEqual({ mask: 63, value: 18, negated: true });
    expect(matchOf('-p tcp --tcp-flags SYN,RST NONE').tcpFlags).toEqual({ mask: 6, value: 0, negated: false });
  });

  it('ICMP types', () => {
    const v4 = (type: string) => matchOf(`-p icmp --icmp-type ${type}`);
    expect(v4('echo-request')).toMatchObject({ family: 4, icmp: { type: 8, code: [0, 255], negated: false } });
    expect(v4('3/4').icmp).toEqual({ type: 3, code: [4, 4], negated: false });
    expect(v4('fragmentation-needed').icmp).toEqual(v4('3/4').icmp);
    expect(matchOf('-p icmpv6 ! --icmpv6-type packet-too-big')).toMatchObject({
      family: 6,
      icmp: { type: 2, negated: true },
    });
  });

  it('IPv6, and families that nothing names', () => {
    expect(matchOf('-d 2001:db8::1/32')).toEqual({
      family: 6,
      dst: { address: '2001:db8::', length: 32, negated: false },
    });
    expect(matchOf('ip6tables -p tcp').family).toBe(6);
    expect(matchOf('iptables -p all')).toEqual({ family: 4 });
    expect(matchOf('-p tcp')).not.toHaveProperty('family');
  });

  it('marks of rules before it', () => {
    expect(matchOf('-m mark --mark 0x10/0xf0').mark).toEqual({ value: 16, mask: 240, negated: false });
    expect(matchOf('-m mark ! --mark 7').mark).toEqual({ value: 7, mask: 0xffff_ffff, negated: true });
  });
});

/** iptables-extensions(8), MARK; the kernel: mark = (mark & ~clear) ^ flip. */
it.each([
  ['--set-mark 1', 0xffff_ffff, 1],
  ['--set-mark 0xffffffff', 0xffff_ffff, 0xffff_ffff],
  ['--set-mark 0x1/0xf0', 0xf1, 1],
  ['--set-xmark 0x1/0xf0', 0xf0, 1],
  ['--or-mark 0x80000000', 0x8000_0000, 0x8000_0000],
  ['--and-mark 0xff', 0xffff_ff00, 0],
  ['--xor-mark 3', 0, 3],
])('-j MARK %s', (words, clear, flip) => {
  expect(targetOf(words)).toEqual({ clear, flip });
});

it('errors name the word', () => {
  const rest = '-j MARK --set-mark 1';
  const lines = [
    '',
    '-p tcp',
    '-j MARK',
    '-j DROP',
    '-j',
    '--set-mark 1 -j MARK',
    '-j MARK --set-mark 4294967296',
    '-j MARK --set-mark x',
    '-j MARK --and-mark 1/2',
    '-j MARK --set-mark 1 --or-mark 2',
    `--dprot 80 ${rest}`,
    `-m conntrack ${rest}`,
    `-o eth0 ${rest}`,
    `-A INPUT ${rest}`,
    `-t nat ${rest}`,
    `-i a/b ${rest}`,
    `-s 10.0.0.256 ${rest}`,
    `-s 10.0.0.0/255.0.255.0 ${rest}`,
    `-s 10.0.0.1,10.0.0.2 ${rest}`,
    `-s 10.0.0.1 -s 10.0.0.2 ${rest}`,
    `-d ! 10.0.0.1 ${rest}`,
    `-s 10.0.0.1 -d ::1 ${rest}`,
    `iptables -d ::1 ${rest}`,
    `-p icmp -d ::1 ${rest}`,
    `! ${rest}`,
    '-j MARK --set-mark 1 !',
    `-p tpc ${rest}`,
    `-p 256 ${rest}`,
    `! -p all ${rest}`,
    `--dport 80 ${rest}`,
    `! -p tcp --dport 80 ${rest}`,
    `-p icmp --dport 80 ${rest}`,
    `-p tcp --dport 90:80 ${rest}`,
    `-p tcp --dport 65536 ${rest}`,
    `-p tcp --dport : ${rest}`,
    `-p tcp --dports 80 ${rest}`,
    `-p tcp -m multiport --dports 80,,90 ${rest}`,
    `-p udp --syn ${rest}`,
    `-p tcp --tcp-flags SYN ${rest}`,
    `-p tcp --icmp-type 8 ${rest}`,
    `-p icmp --icmp-type echo-requets ${rest}`,
    `-p icmp --icmp-type 300 ${rest}`,
    `--mark 1 ${rest}`,
    `--comment x ${rest}`,
    `-m comment --comment "x ${rest}`,
    `constructor ${rest}`,
    `-ieth0 ${rest}`,
    '-j MARK --set-mark 010',
  ];
  expect(lines.map(sentence).join('\n')).toMatchInlineSnapshot(`
    "-j MARK is missing; a mark rule ends with -j MARK --set-mark N
    -j MARK is missing; a mark rule ends with -j MARK --set-mark N
    -j MARK needs --set-mark N
    -j DROP: the target of a mark rule is MARK
    -j has no value
    --set-mark needs -j MARK before it
    --set-mark: "4294967296" is not a mark 0-4294967295, decimal or 0x…, with a /mask if need be
    --set-mark: "x" is not a mark 0-4294967295, decimal or 0x…, with a /mask if need be
    --and-mark 1/2: --and-mark takes no mask
    --or-mark is given twice
    "--dprot" is not an option of a mark rule; did you mean --dport?
    -m conntrack: not a match of mark rules; there are tcp, udp, sctp, icmp, icmp6, multiport, mark, comment
    -o: packets are marked before routing, when they have no output device yet
    -A INPUT: mark rules are in PREROUTING; leave -A out
    -t nat: mark rules are in mangle; leave -t out
    -i: "a/b" is not a device name (1 to 15 characters)
    -s: "10.0.0.256" is not an IPv4 or IPv6 address or prefix such as 10.0.0.0/8
    -s: "10.0.0.0/255.0.255.0" is not an IPv4 or IPv6 address or prefix such as 10.0.0.0/8
    -s 10.0.0.1,10.0.0.2: a rule takes one address; write a rule for each
    -s is given twice
    "!" must be before -d: ! -d …
    -s 10.0.0.1 is IPv4 but -d ::1 is IPv6
    iptables is IPv4 but -d ::1 is IPv6
    -d ::1 is IPv6 but -p icmp is IPv4
    -j cannot be negated by "!"
    no option follows the last "!"
    -p: "tpc" is not a protocol; did you mean tcp?
    -p: "256" is not a protocol; write tcp, udp or a number 0-255
    ! -p all matches no packet
    --dport needs -p tcp, -p udp or -p sctp before it
    --dport needs -p tcp, -p udp or -p sctp before it
    --dport needs -p tcp, -p udp or -p sctp before it
    --dport: "90:80" is not a port 0-65535 or a range such as 8000:8010
    --dport: "65536" is not a port 0-65535 or a range such as 8000:8010
    --dport: ":" is not a port 0-65535 or a range such as 8000:8010
    --dports needs -m multiport before it
    --dports: "" is not a port 0-65535 or a range such as 8000:8010
    --syn needs -p tcp before it
    --tcp-flags: "-j" is not a list of SYN ACK FIN RST URG PSH ALL NONE
    --icmp-type needs -p icmp before it
    --icmp-type: "echo-requets" is not a type of icmp; did you mean echo-request?
    --icmp-type: "300" is not a type of icmp; write a name, a number or type/code
    --mark needs -m mark before it
    --comment needs -m comment before it
    the quote in "x is not closed
    "constructor" is not an option of a mark rule
    "-ieth0" is not an option of a mark rule
    --set-mark: "010" is not a mark 0-4294967295, decimal or 0x…, with a /mask if need be"
  `);
});

/**
 * Lines given to iptables 1.8.9 (tools/oracle/guest): exit code | line | the rule as `iptables -S` says it back.
 * We refuse what it takes in these cases: a rule that can't match, two matches of one kind, a `:` without ports, octal
 * numbers, masks with gaps, ICMP without its IPv6; and take one it refuses: --sports and --dports of one multiport.
 */
describe('iptables agrees', () => {
  const TAKEN_HERE = '--dports 80 --sports 1';
  const REFUSED_HERE = [
    '! -p tcp --dport',
    '--dport : ',
    '--dports 80 --dport 80',
    '--mark 1 -m mark',
    '--set-mark 010',
    '! --icmp-type any',
    '-ieth0',
    '255.0.255.0',
    'ip6tables -p icmp ',
  ];
  const recorded = readFileSync(path.join(import.meta.dirname, 'iptables.txt'), 'utf8')
    .trimEnd()
    .split('\n');

  it.each(recorded.map((row) => row.split('|') as [string, string, string]))('%s %s', (rc, line, back) => {
    if (line.includes(TAKEN_HERE)) return expect(sentence(line)).toBe('no error');
    if (rc !== '0' || REFUSED_HERE.some((words) => line.includes(words)))
      return expect(sentence(line)).not.toBe('no error');
    const { text: _, ...rule } = parseMarkRule(line);
    const { text: __, ...again } = parseMarkRule(`${line.split(' ')[0]} ${back}`);
    expect(rule).toEqual(again);
    const hex = (value: number) => `0x${value.toString(16)}`;
    expect(back).toContain(`--set-xmark ${hex(rule.flip)}/${hex(rule.clear)}`);
  });
});

it('random words throw nothing but MarkRuleError, of one line', () => {
  const random = new Random();
  const words =
    `-i -s -d -p -m -j -t -A -o ! tcp udp icmp icmpv6 multiport mark MARK mangle PREROUTING eth0 10.0.0.0/8 ::1
    --dport --sport --dports --sports --syn --tcp-flags SYN,ACK --icmp-type 8 --mark --set-mark 1/2 --set-xmark 80:90 , = "
    ' __proto__ toString --proto=tcp -p6 iptables ip6tables --comment`.split(/\s+/);
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: random.below(12) }, () => random.pick(words)).join(random.bool() ? ' ' : '\t ');
    expect(sentence(text)).toMatch(/^.+$/);
  }
});
