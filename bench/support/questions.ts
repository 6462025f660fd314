/** The questions in the order in which `make bench` asks them, and what each cannot do without. */

export interface Question {
  /** Its file: bench/questions/NAME.ts. */
  readonly name: string;
  /** It makes network namespaces. */
  readonly root?: true;
  /** Programs without which nothing of it can be measured. A contender's own program is not among them. */
  readonly programs?: readonly string[];
}

const NETWORK = ['ip', 'sysctl', 'taskset', 'nice', 'chrt'];

export const QUESTIONS: readonly Question[] = [
  { name: 'pipeline' },
  { name: 'workers' },
  { name: 'wire', root: true, programs: NETWORK },
  { name: 'http', root: true, programs: [...NETWORK, 'ethtool', 'ss', 'timeout', 'wrk', 'iperf3', 'nginx'] },
  { name: 'table' },
  { name: 'schedulers' },
];
