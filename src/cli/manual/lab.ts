/** The manual of the labs. */
import { STATE_DIRECTORY } from '../../lab/names.js';
import { ABORT, type Fact, MISTAKE, type Rows } from './row.js';

const LABS: readonly Fact[] = [
  [`${STATE_DIRECTORY}/ID.json`, 'the record of a lab that is up: its processes and namespaces'],
  [`${STATE_DIRECTORY}/ID/`, "the lab's director.yaml, control socket, logs and captures"],
];
const LAB_FAILED = 'there is no such topology, or it could not be built; one line on stderr says why';
const LAB_NOT_UP = 'no such lab is up, or something failed; one line on stderr says what';

export const LAB_ROWS: Rows = {
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
  'bench flood': {
    exit: ['measured', 'something failed while running', `${MISTAKE}, no such lab is up, or it was interrupted`],
    signals: [['SIGINT, SIGTERM, SIGHUP', 'stop, take down what was built, exit with 2']],
    examples: [
      ['ulvs bench flood --device xdp --method dr --kind udp', 'the highest rate with less than 0.1% lost'],
      ['ulvs bench flood --lab nat --rate 50000', 'a lab that is up, at one rate'],
    ],
  },
};
