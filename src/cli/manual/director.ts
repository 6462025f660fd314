/** The manual of a director, and of the commands that ask one. */
import { MAIN_SOCKET } from '../../control/api/socket-path.js';
import { ASKED, MISTAKE, OTHER_SOCKET, type Rows, SOCKET } from './row.js';

export const DIRECTOR_ROWS: Rows = {
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
  health: {
    exit: ASKED,
    files: SOCKET,
    examples: [
      ['ulvs health', 'each destination with checks, up or down, and the last answer of each check'],
      ['ulvs health --json', 'the same for programs'],
    ],
  },
  stats: { exit: [...ASKED, MISTAKE], files: SOCKET },
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
  completion: {
    exit: ['printed', '', MISTAKE],
    examples: [
      ['source <(ulvs completion bash)', 'for this shell'],
      ['ulvs completion fish > ~/.config/fish/completions/ulvs.fish', 'for every fish from now on'],
    ],
  },
};
