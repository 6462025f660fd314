/** The questions, in the order in which `make bench` runs them, with their requirements. */

export interface Question {
  /** The file is bench/questions/NAME.ts. */
  readonly name: string;
  /** The question needs root, because it makes network namespaces. */
  readonly root?: true;
  /**
   * Programs without which no contender can be measured. The program of one contender is not listed
   * here.
   */
  readonly programs?: readonly string[];
}

const NETWORK = ['ip', 'sysctl', 'taskset', 'nice', 'chrt'];

export const QUESTIONS: readonly Question[] = [
  { name: 'pipeline' },
  { name: 'instructions', root: true, programs: ['gcc', 'nm'] },
  { name: 'workers' },
  { name: 'wire', root: true, programs: NETWORK },
  { name: 'latency', root: true, programs: NETWORK },
  { name: 'scale', root: true, programs: NETWORK },
  { name: 'http', root: true, programs: [...NETWORK, 'ethtool', 'ss', 'timeout', 'wrk', 'iperf3', 'nginx'] },
  { name: 'table' },
  { name: 'schedulers' },
];
