/**
 * Which system calls stop for the supervisor. All others run in the kernel at full speed. A filter
 * sees numbers only: call, architecture and arguments, not what a pointer leads to. So netlink
 * sockets that the supervisor hands out are known by their descriptors, which it chooses.
 */
import type { CallName } from './numbers.js';

/** Descriptors of netlink sockets that the supervisor hands out: FD_LOW to FD_END − 1. */
export const FD_LOW = 900;
/** FD_SETSIZE, and the usual soft limit RLIMIT_NOFILE. */
export const FD_END = 1024;

/** IP_VS_BASE_CTL of linux/ip_vs.h, and the end of its socket options. */
export const SOCKOPT_BASE = 1152;
export const SOCKOPT_END = SOCKOPT_BASE + 16;

const IPPROTO_IP = 0;
const AF_INET = 2;
const AF_NETLINK = 16;
const NETLINK_GENERIC = 16;
const IPPROTO_RAW = 255;

/** An argument, by its low 32 bits: `from` ≤ value < `end`. */
export interface Range {
  readonly argument: number;
  readonly from: number;
  readonly end: number;
}
/** A call stops when all its ranges hold. */
export interface Rule {
  readonly call: CallName;
  readonly ranges: readonly Range[];
}

/**
 * Opens that stop: none; `plain`: those with the flags of fopen(path, "r"), which are O_RDONLY
 * alone; `every`: all, for programs that open files with O_CLOEXEC or write sysctls.
 */
export const OPENS = ['none', 'plain', 'every'] as const;
export type Opens = (typeof OPENS)[number];

export interface FilterOptions {
  readonly opens: Opens;
  /** Without netlink, programs use the socket options, as on a kernel before 2.6.28. */
  readonly netlink: boolean;
  /** The user may open no raw socket. ipvsadm wants one as a handle for its socket options. */
  readonly rawSockets: boolean;
}

const equal = (argument: number, value: number): Range => ({ argument, from: value, end: value + 1 });
const injected: Range = { argument: 0, from: FD_LOW, end: FD_END };
const ipvsOption: Range = { argument: 2, from: SOCKOPT_BASE, end: SOCKOPT_END };

export function rulesFor({ opens, netlink, rawSockets }: FilterOptions): Rule[] {
  return [
    { call: 'setsockopt', ranges: [equal(1, IPPROTO_IP), ipvsOption] },
    { call: 'getsockopt', ranges: [equal(1, IPPROTO_IP), ipvsOption] },
    ...(rawSockets ? [RAW_SOCKET] : []),
    ...(netlink ? NETLINK : []),
    ...openRules(opens),
  ];
}

const RAW_SOCKET: Rule = { call: 'socket', ranges: [equal(0, AF_INET), equal(2, IPPROTO_RAW)] };
const NETLINK: readonly Rule[] = [
  { call: 'socket', ranges: [equal(0, AF_NETLINK), equal(2, NETLINK_GENERIC)] },
  ...(['sendto', 'sendmsg', 'recvfrom', 'recvmsg'] as const).map((call) => ({ call, ranges: [injected] })),
];

function openRules(opens: Opens): Rule[] {
  const ranges = (argument: number) => (opens === 'every' ? [] : [equal(argument, 0)]);
  if (opens === 'none') return [];
  return [
    { call: 'openat', ranges: ranges(2) },
    { call: 'open', ranges: ranges(1) },
  ];
}
