/** Keys of director.yaml about the workers: how many, on which CPUs, with which priority. */
import { list, oneOf, value, words } from './builders.js';
import { whole } from './scalars.js';

/** The most CPUs that Linux is built for. */
const LAST_CPU = 8191;

export const workersSchema = {
  workers: value(whole(1, 64)).prefault(1).register(words, {
    type: '1 to 64',
    text: 'Number of threads that forward packets. More than one needs devices of kind xdp or packet.',
    example: '2',
    change: 'restart',
  }),
  workerCpus: list('2', value(whole(0, LAST_CPU, 'the number of a CPU')))
    .default([])
    .register(words, {
      type: 'list of CPU numbers, one for each worker',
      text:
        'CPUs of the workers, in their order. All other threads of the director leave these CPUs, if it may use ' +
        'others. An empty list: the kernel places all threads (docs/latency.md).',
      example: '[2]',
      change: 'restart',
    }),
  workerPriority: oneOf(['normal', 'realtime'])
    .prefault('normal')
    .register(words, {
      type: 'normal or realtime',
      text:
        'Scheduling of the workers. With normal their niceness is 10 lower than that of the other threads, where it ' +
        'is allowed (CAP_SYS_NICE or LimitNICE=-10). With realtime a worker goes before all threads of usual priority ' +
        'on its CPU (SCHED_RR) when its code is compiled, and polls for 0.05 ms more before it sleeps. While frames ' +
        'come no CPU of the machine sleeps (/dev/cpu_dma_latency). It needs CAP_SYS_NICE or LimitRTPRIO=2.',
      example: 'realtime',
      change: 'restart',
    }),
};
