/** The types of checks. A new type is a row here, a name in ../spec.ts, and its options there. */
import type { ProbeType } from '../spec.js';
import type { Checker } from './checker.js';
import { dns, udp } from './datagram.js';
import { mysqlGreeting, postgres, redis, smtp } from './greeting.js';
import { http, https } from './http.js';
import { grpc, http2Checker } from './http2.js';
import { icmp, script } from './process.js';
import { sctp, tcp } from './tcp.js';

export const CHECKERS: Readonly<Record<ProbeType, Checker>> = {
  tcp,
  http,
  https,
  http2: http2Checker,
  grpc,
  dns,
  udp,
  smtp,
  redis,
  mysql: mysqlGreeting,
  postgres,
  icmp,
  script,
  sctp,
};
