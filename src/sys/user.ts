/** Users (getpwnam(3)) and the timer of the process (setitimer(2)). */
import koffi from 'koffi';
import { check, libc, type Pointer } from './libc.js';

const passwd = koffi.struct({
  name: 'str',
  password: 'str',
  uid: 'uint32',
  gid: 'uint32',
  gecos: 'str',
  home: 'str',
  shell: 'str',
});
const getpwnam = libc.func('void* getpwnam(str)') as (name: string) => Pointer;

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** The ids of a user, from all sources of nsswitch.conf; undefined: there is no such user. */
export function userIds(name: string): UserIds | undefined {
  const found = getpwnam(name);
  return found === null ? undefined : (koffi.decode(found as never, passwd) as UserIds);
}

const setitimer = libc.func('int setitimer(int, void*, void*)') as (
  which: number,
  value: BigUint64Array,
  old: null,
) => number;

/**
 * Sends SIGALRM to this process in `ms` milliseconds, and then every `againMs`; 0, 0 ends it.
 * setitimer(2), ITIMER_REAL.
 */
export function alarmIn(ms: number, againMs: number): void {
  const value = [againMs, ms].flatMap((each) => [Math.floor(each / 1000), Math.floor((each % 1000) * 1000)]);
  check(setitimer(0, new BigUint64Array(value.map(BigInt)), null), 'setitimer');
}
