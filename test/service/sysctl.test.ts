import { expect, it } from 'vitest';
import {
  defaultSysctls,
  isSysctlName,
  SYSCTL_NAMES,
  SYSCTLS,
  syncThresholdFault,
  sysctlFault,
} from '../../src/service/sysctl.js';

/** IPVS-REFERENCE 1.16; est_cpulist is left out on purpose. */
const REFERENCE =
  `amemthresh am_droprate drop_entry drop_packet secure_tcp backup_only cache_bypass conn_reuse_mode conntrack
  debug_level est_nice expire_nodest_conn expire_quiescent_template ignore_tunneled lblc_expiration lblcr_expiration
  nat_icmp_send pmtu_disc run_estimation schedule_icmp sloppy_tcp sloppy_sctp snat_reroute sync_version sync_ports
  sync_persist_mode sync_qlen_max sync_sock_size sync_threshold sync_refresh_period sync_retries`.split(/\s+/);

it('knows every name of the kernel', () => {
  expect(SYSCTL_NAMES.toSorted()).toEqual([...REFERENCE, 'sync_period'].toSorted());
  expect(isSysctlName('toString')).toBe(false);
});

it('has defaults within their own ranges, and each says what it is for', () => {
  const all = defaultSysctls();
  for (const name of SYSCTL_NAMES) {
    expect(sysctlFault(name, all[name]), name).toBeUndefined();
    expect(SYSCTLS[name].meaning, name).toMatch(/^\S.{8,}$/);
  }
  expect(syncThresholdFault(all)).toBeUndefined();
  expect(all).toMatchObject({ conn_reuse_mode: 1, pmtu_disc: 1, snat_reroute: 1, sync_threshold: 3, sync_period: 50 });
});

it('says what is wrong with a value', () => {
  expect(sysctlFault('drop_entry', 4)).toBe('is not a whole number from 0 to 3');
  expect(sysctlFault('drop_entry', 1.5)).toBe('is not a whole number from 0 to 3');
  expect(sysctlFault('est_nice', -20)).toBeUndefined();
  expect(sysctlFault('sync_ports', 48)).toBe('is not a power of two');
  expect(syncThresholdFault({ sync_threshold: 0, sync_period: 0 })).toBeUndefined();
  expect(syncThresholdFault({ sync_threshold: 9, sync_period: 0 })).toBeUndefined();
  expect(syncThresholdFault({ sync_threshold: 9, sync_period: 9 })).toBe('threshold 9 is not below period 9');
});
