/** The manual of the commands that change a director, or say what would change. */
import { ASKED, MISTAKE, type Rows, SOCKET } from './row.js';

export const CHANGE_ROWS: Rows = {
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
  sysctl: {
    exit: [...ASKED, `${MISTAKE}, an unknown sysctl, or a value out of range`],
    files: SOCKET,
    examples: [
      ['ulvs sysctl', 'list all'],
      ['ulvs sysctl conn_reuse_mode expire_nodest_conn=1', 'show one, set another'],
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
};
