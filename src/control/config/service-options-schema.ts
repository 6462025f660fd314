/** The key `serviceOptions` of director.yaml: what IPVS does not have, off by default. */
import { mapping, value, words } from './builders.js';
import { autoOnOff, flag, whole } from './scalars.js';
import { serviceKey } from './service-words.js';

const LONGEST = 2_678_400;
const seconds = whole(0, LONGEST, 'a number of seconds, or 0');

const idle = mapping('a mapping such as { tcp: 3600, udp: 20 }', {
  tcp: value(seconds).prefault(0).register(words, {
    type: 'seconds, 1 to 2678400; 0: as for all services',
    text: 'Idle time of an established TCP connection.',
    example: '3600',
  }),
  tcpfin: value(seconds).prefault(0).register(words, {
    type: 'seconds, 1 to 2678400; 0: as for all services',
    text: 'Idle time after the first FIN.',
    example: '30',
  }),
  udp: value(seconds).prefault(0).register(words, {
    type: 'seconds, 1 to 2678400; 0: as for all services',
    text: 'Idle time of a UDP connection.',
    example: '20',
  }),
});

export const serviceOptions = mapping('a mapping such as { service: -t 10.0.0.100:80, resetIdle: true }', {
  service: value(serviceKey).register(words, {
    type: 'a service in the words of ulvsadm',
    text: 'The service. It need not exist yet.',
    example: '"-t 10.0.0.100:80"',
  }),
  idle: idle.prefault({}).register(words, {
    type: 'mapping',
    text: 'Idle times of this service, in place of the key timeouts.',
    example: '{ tcp: 3600 }',
  }),
  resetIdle: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'An established TCP connection that has idled for its time is reset on both sides.',
    example: 'true',
  }),
  resetRemoved: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'TCP connections of a destination that is removed are reset on both sides.',
    example: 'true',
  }),
  rescheduleUdp: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'UDP connections of a destination that is removed end at once. Their next datagram is scheduled anew.',
    example: 'true',
  }),
  synproxy: value(autoOnOff)
    .prefault('off')
    .register(words, {
      type: 'auto, on or off',
      text:
        'The SYN proxy: the director answers SYNs by a cookie, and opens a connection when the client has answered. ' +
        'auto: only while more connections are half-open than the sysctl tcp_max_syn_backlog says. For TCP services ' +
        'of real servers by NAT.',
      example: 'auto',
    }),
});
