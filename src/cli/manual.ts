/**
 * Exit codes, signals, files and examples of each command. `--help` ends with them;
 * docs/commands.md and the manual pages have them, too. A command without subcommands has a row;
 * its key is the words after `ulvs`.
 */
import { MAIN_SOCKET, SOCKET_DIRECTORY } from '../control/api/socket-path.js';
import { STATE_DIRECTORY } from '../lab/names.js';

/** A name and its meaning. */
export type Fact = readonly [name: string, text: string];

export interface Manual {
  /** The meaning of each exit code, from 0; '' for a code that never occurs. */
  readonly exit: readonly string[];
  readonly signals?: readonly Fact[];
  readonly files?: readonly Fact[];
  readonly examples?: readonly Fact[];
}

const MISTAKE = 'a mistake on the command line';
const ASKED = ['the director answered', 'no director listens on the control socket, or the connection broke'];
const ABORT: readonly Fact[] = [['SIGINT, SIGTERM, SIGHUP', 'stop, take down what was built, exit with 1']];
const OTHER_SOCKET: Fact = [
  `${SOCKET_DIRECTORY}/net-INODE.sock`,
  'the same in another network namespace than that of process 1; INODE as shown by ls -Li /proc/self/ns/net',
];
const SOCKET: readonly Fact[] = [
  [MAIN_SOCKET, 'the control socket, if neither --socket nor ULVS_SOCKET names another'],
  OTHER_SOCKET,
];
const LABS: readonly Fact[] = [
  [`${STATE_DIRECTORY}/ID.json`, 'the record of a lab that is up: its processes and namespaces'],
  [`${STATE_DIRECTORY}/ID/`, "the lab's director.yaml, control socket, logs and captures"],
];
const LAB_FAILED = 'there is no such topology, or it could not be built; one line on stderr says why';
const LAB_NOT_UP = 'no such lab is up, or something failed; one line on stderr says what';

export const MANUAL: Readonly<Record<string, Manual>> = {
  'sync dump': {
    exit: [
      'the capture was read, or --count messages came',
      'there is no such interface or file, it is no capture, or the command was interrupted',
      MISTAKE,
    ],
    examples: [
      ['ulvs sync dump --interface eth1', 'what directors tell each other by eth1, until Ctrl-C'],
      ['ulvs sync dump --pcap sync.pcap --json', 'the messages of a capture, a line of JSON each'],
    ],
  },
  decapsulate: {
    exit: [
      'it was ended by SIGTERM or SIGINT',
      'a privilege is missing, or a port or interface cannot be used',
      MISTAKE,
    ],
    signals: [['SIGTERM, SIGINT', 'remove the TUN, print what came, exit with 0']],
    examples: [
      ['ip address add 10.0.0.100/32 dev lo; ulvs decapsulate', 'this realserver takes ipip, gre and gue packets'],
      ['ulvs decapsulate --types gue --gue-port 5555', 'GUE on another port only'],
    ],
  },
  dump: {
    exit: [
      'the director was printed',
      'no director listens on the control socket, or the connection broke',
      "a mistake on the command line, or the director's own file cannot be read",
    ],
    files: SOCKET,
    examples: [
      [
        'ulvs dump >director.yaml; ulvs check director.yaml',
        'a file that starts a director with the rules of this one',
      ],
      [
        'ulvs dump --replay >box.yaml; ulvs replay -c box.yaml --pcap eth0.pcap --if eth0',
        'a capture through a copy of this director, on any machine',
      ],
    ],
  },
  run: {
    exit: [
      'the director was stopped by a signal and has cleaned up',
      'it could not start, or failed while running',
      'a mistake on the command line, in the configuration or in the rules',
    ],
    signals: [
      ['SIGTERM, SIGINT', 'stop and remove the nft rules, the devices and the control socket'],
      [
        'SIGHUP',
        'reload the configuration; connections are kept; after a mistake the old configuration stays in force',
      ],
    ],
    files: [
      [MAIN_SOCKET, 'the control socket, unless --socket or the configuration names another'],
      OTHER_SOCKET,
      ['/etc/services', 'names of ports in rules'],
      ['/dev/net/tun', 'needed for tap devices, and to return packets to the host'],
    ],
    examples: [
      ['ulvs run -c /etc/ulvs/director.yaml', 'a director with this configuration'],
      ['ulvs run --rules rules --device packet', 'all interfaces that are up, with the rules of ipvsadm -S'],
      ['ulvs run --user ulvs', 'an empty director on all interfaces that are up, for ulvsadm; it gives up root'],
    ],
  },
  check: {
    exit: [
      'the configuration is correct',
      'something failed while running',
      'mistakes in it; one line for each, those of the rules once all keys are correct',
    ],
    examples: [['ulvs check /etc/ulvs/director.yaml', 'before a reload or a restart']],
  },
  apply: {
    exit: [
      'the director is as the file says; with --dry-run: nothing would change',
      'no director listens, or the connection broke; with --dry-run: something would change',
      `${MISTAKE} or in the file: nothing has changed; with --dry-run also: no director listens`,
    ],
    files: SOCKET,
    examples: [
      ['ulvs apply -c new.yaml --dry-run', 'what would change, in colour on a terminal'],
      ['ulvs apply -c new.yaml', 'everything or nothing; connections are kept'],
    ],
  },
  diff: {
    exit: [
      'there is no difference',
      'there is a difference',
      `${MISTAKE} or in the file, no director listens, or the connection broke`,
    ],
    files: SOCKET,
    examples: [
      ['ulvs diff', 'what a reload would change, also of what ulvsadm has changed since'],
      ['ulvs diff -c new.yaml --json', 'against another file, for programs'],
    ],
  },
  reload: {
    exit: [
      'the configuration is in force',
      'no director listens on the control socket, or the connection broke',
      'a mistake in the configuration: the old one stays in force',
    ],
    files: SOCKET,
    examples: [
      ['ulvs reload', 'what has changed, a line for each change'],
      ['ulvs check /etc/ulvs/director.yaml && ulvs reload', 'looks at the file first'],
    ],
  },
  'fleet status': {
    exit: [
      'all directors have the rules of etcd',
      'a director has other rules, or etcd or the director does not answer',
      'a mistake on the command line or in the configuration',
    ],
    files: SOCKET,
    examples: [
      ['ulvs fleet status', 'the fleet of the director on this machine'],
      ['ulvs fleet status -c director.yaml --json', 'the same for a program, from a machine without a director'],
    ],
  },
  'fleet drain': {
    exit: [
      'the VIPs are withdrawn and no client sends packets any more; the director has stopped',
      'clients still sent packets when the time was over: the director runs on, withdrawn; or it announces no VIPs',
      MISTAKE,
    ],
    files: SOCKET,
    examples: [
      ['ulvs fleet drain', 'before an upgrade or a reboot'],
      ['ulvs fleet drain --no-stop', 'the director runs on without clients; ulvs fleet undrain takes it back'],
    ],
  },
  'fleet undrain': { exit: [...ASKED, MISTAKE], files: SOCKET },
  replay: {
    exit: [
      'the director processed all frames',
      'something failed while running, such as a capture that cannot be read',
      'a mistake on the command line, in the configuration or in the rules',
    ],
    examples: [
      ['ulvs replay -c director.yaml --pcap in.pcap --if eth0 --out out.pcap', 'what the director sends for a capture'],
      ["ulvs replay -c director.yaml --pcap in.pcap --if eth0 --trace 'tcp port 80'", 'and why'],
      ['ulvs replay DIR --view packets.html', 'the packets of a scenario, for a browser'],
    ],
  },
  status: { exit: [...ASKED, MISTAKE], files: SOCKET },
  top: {
    exit: ['the user has quit', ASKED[1]!, `${MISTAKE}, or standard input or output is no terminal`],
    signals: [['SIGINT, SIGTERM, SIGHUP', 'quit; the terminal is as it was before']],
    files: SOCKET,
    examples: [
      ['ulvs top', 'the key h shows all keys; the mouse selects, sorts and turns pages'],
      ['ulvs top --interval 0.5', 'look twice a second'],
    ],
  },
  drain: {
    exit: [
      'no connection was left; the destinations are removed, or kept with --keep',
      'connections were left after the timeout, no director listens, or the connection broke',
      `${MISTAKE}, or no service has this real server`,
    ],
    signals: [['SIGINT, SIGTERM', 'stop waiting; the destinations keep the weight that they have then']],
    files: SOCKET,
    examples: [
      [
        'ulvs drain 192.168.1.11:8080 --timeout 600',
        'wait for its connections for ten minutes at most, then remove it',
      ],
      [
        'ulvs drain 192.168.1.11 --timeout 60 --rst --udp-at-once',
        'reset what is left after a minute; UDP moves at once',
      ],
      ['ulvs drain 192.168.1.11 --to-zero-weight-in 30 --keep', 'all destinations of a real server, slowly; keep them'],
    ],
  },
  undrain: {
    exit: [...ASKED, `${MISTAKE}, or no service has this real server`],
    files: SOCKET,
    examples: [['ulvs undrain 192.168.1.11', 'its destinations have their weights again']],
  },
  health: {
    exit: ASKED,
    files: SOCKET,
    examples: [
      ['ulvs health', 'each destination with checks, up or down, and the last answer of each check'],
      ['ulvs health --json', 'the same for programs'],
    ],
  },
  stats: { exit: [...ASKED, MISTAKE], files: SOCKET },
  sysctl: {
    exit: [...ASKED, `${MISTAKE}, an unknown sysctl, or a value out of range`],
    files: SOCKET,
    examples: [
      ['ulvs sysctl', 'list all'],
      ['ulvs sysctl conn_reuse_mode expire_nodest_conn=1', 'show one, set another'],
    ],
  },
  proc: {
    exit: [...ASKED, MISTAKE],
    files: SOCKET,
    examples: [['ulvs proc ip_vs_conn', "the text of the kernel's /proc/net/ip_vs_conn"]],
  },
  exec: {
    exit: [
      'the program ended with 0; other codes of the program, and 128 + signal, are passed on',
      'no director listens on the control socket',
      'a mistake on the command line; or the kernel, or a filter above, does not allow it: one line says what',
    ],
    signals: [
      ['SIGTERM, SIGHUP, SIGUSR1, SIGUSR2', 'passed on to the program'],
      ['SIGINT, SIGQUIT', 'passed on to the program, unless a terminal has sent it both already'],
    ],
    files: SOCKET,
    examples: [
      ['ulvs exec -- keepalived -n -l', 'keepalived fills the table of the director'],
      ['ulvs exec -- ipvsadm -Ln', "Debian's ipvsadm; exit code 75 would mean that the director is gone"],
      ['ulvs exec --proc every -- prometheus-node-exporter', 'a Go program that reads /proc/net/ip_vs*'],
    ],
  },
  trace: {
    exit: [
      'stopped by a signal, or --count packets were shown',
      ASKED[1]!,
      `${MISTAKE}, or a filter that cannot be read`,
    ],
    signals: [['SIGINT, SIGTERM', 'stop the trace; the file of --pcap is complete']],
    files: SOCKET,
    examples: [
      ['ulvs trace host 10.0.0.1 and tcp port 80', 'packets of one client'],
      ['ulvs trace --drops --count 10', 'the next ten packets that are dropped, and why'],
    ],
  },
  configure: {
    exit: [
      'both files were written',
      'a file could not be written',
      `${MISTAKE} or in the lvs.conf, or a file exists already`,
    ],
    files: [
      ['director.yaml', 'written: the configuration, unless --out names another file'],
      ['rc.realserver', 'written: the script for the realservers, unless --script names another file'],
      ['/etc/hosts', 'read: the names of hosts'],
    ],
  },
  console: {
    exit: [
      'stopped by a signal',
      'the address is in use, or the page is not built',
      `${MISTAKE}, or no such lab is up`,
    ],
    signals: [['SIGINT, SIGTERM', 'stop']],
    files: SOCKET,
    examples: [
      ['ulvs console', "the running director's, at 127.0.0.1:9732; the token's file is named"],
      ['ulvs console --lab dr', 'that of a lab, with its drawing and its faults'],
    ],
  },
  doctor: {
    exit: ['healthy', 'findings, or no director answered', `${MISTAKE}, no such lab is up, or not run as root`],
    files: SOCKET,
    examples: [
      ['ulvs doctor', 'this machine, with a SYN to each realserver'],
      ['ulvs doctor --no-probe --json', 'inspect only; findings as JSON'],
    ],
  },
  'lab list': { exit: ['listed', '', MISTAKE], files: LABS },
  'lab graph': { exit: ['drawn', 'no topology has this name', MISTAKE] },
  'lab up': {
    exit: ['the lab is up', LAB_FAILED, MISTAKE],
    signals: ABORT,
    files: LABS,
    examples: [
      ['ulvs lab up nat', 'leave the lab running, and print what to try'],
      ['ulvs lab up dr --console', 'and its console for the browser, whose address is the last line'],
      ['ulvs lab up nat --name a', 'the lab nat-a, whose names are the same each time'],
    ],
  },
  'lab exec': {
    exit: [
      'the command ended with 0; otherwise its exit code, or 128 + signal',
      '',
      `no such lab is up, or ${MISTAKE}`,
    ],
    files: LABS,
    examples: [
      ['ulvs lab exec nat client -- curl -s http://10.0.0.100/', "a request of the lab's client"],
      ['ulvs lab exec nat-a rs1', 'a shell on the realserver rs1'],
    ],
  },
  'lab test': {
    exit: ['all checks passed', `a check failed, or ${LAB_FAILED}`, MISTAKE],
    signals: ABORT,
    files: LABS,
    examples: [['ulvs lab test --all --quick', 'every topology, with less traffic']],
  },
  'lab down': { exit: ['taken down', LAB_NOT_UP, MISTAKE], files: LABS },
  'lab demo': {
    exit: ['all labs were shown', 'something failed; one line on stderr says what', MISTAKE],
    signals: ABORT,
  },
  'lab break': {
    exit: ['the fault was injected', LAB_NOT_UP, MISTAKE],
    files: LABS,
    examples: [['ulvs lab break dr vip-missing', 'then find it: ulvs doctor --lab dr']],
  },
  'lab faults': {
    exit: [
      'listed; or every fault was found and fixed, without a false alarm',
      'a fault was not found or not fixed, there was a false alarm, or something failed',
      MISTAKE,
    ],
    signals: ABORT,
  },
  'lab outage': {
    exit: [
      'listed; or each event lost no more than it may',
      'an event lost more than it may, or something failed; the output names it',
      MISTAKE,
    ],
    signals: ABORT,
  },
  'lab chaos': {
    exit: ['the plan is printed; or everything held', 'something did not hold; the output names it', MISTAKE],
    signals: ABORT,
  },
  'lab flood': {
    exit: ['each trial is printed', 'a trial could not be made; the output says why', MISTAKE],
    signals: ABORT,
    examples: [
      ['ulvs lab flood', 'SYNs of forged clients over xdp, each defence in turn'],
      ['ulvs lab flood --device xdp packet tap --defence default synproxy', 'two defences over three kinds of device'],
      ['ulvs lab flood --attack udp fragments arp icmp bucket --defence default', 'the other floods'],
    ],
  },
  'lab soak': {
    exit: ['nothing grew, nothing was lost', 'otherwise; the output names it', MISTAKE],
    signals: ABORT,
  },
  'lab restart': { exit: ['restarted', LAB_NOT_UP, MISTAKE], files: LABS },
  completion: {
    exit: ['printed', '', MISTAKE],
    examples: [
      ['source <(ulvs completion bash)', 'for this shell'],
      ['ulvs completion fish > ~/.config/fish/completions/ulvs.fish', 'for every fish from now on'],
    ],
  },
  'bench flood': {
    exit: ['measured', 'something failed while running', `${MISTAKE}, no such lab is up, or it was interrupted`],
    signals: [['SIGINT, SIGTERM, SIGHUP', 'stop, take down what was built, exit with 2']],
    examples: [
      ['ulvs bench flood --device xdp --method dr --kind udp', 'the highest rate with less than 0.1% lost'],
      ['ulvs bench flood --lab nat --rate 50000', 'a lab that is up, at one rate'],
    ],
  },
};

export function exitCodes({ exit }: Manual): Fact[] {
  return exit.map((text, code): Fact => [String(code), text]).filter(([, text]) => text !== '');
}

/** The end of `--help` of the command `name`; '' for a command with subcommands. */
export function manualText(name: string): string {
  const manual = MANUAL[name];
  if (manual === undefined) return '';
  const { signals = [], files = [], examples = [] } = manual;
  return [
    part('Exit codes', exitCodes(manual)),
    part('Signals', signals),
    part('Files', files),
    part('Examples', examples),
  ].join('');
}

function part(title: string, facts: readonly Fact[]): string {
  if (facts.length === 0) return '';
  const width = Math.max(...facts.map(([name]) => name.length));
  return `\n${title}:\n${facts.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('')}`;
}
