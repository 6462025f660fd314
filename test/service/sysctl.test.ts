/** The table of sysctls: names, ranges, and whether anything reads them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  defaultSysctls,
  ineffective,
  isSysctlName,
  SYSCTL_NAMES,
  SYSCTLS,
  type SysctlRow,
  syncThresholdFault,
  sysctlFault,
  withoutEffect,
} from '../../src/service/sysctl.js';

/** docs/ipvs-reference.md section 16; est_cpulist is left out on purpose. */
const REFERENCE =
  `amemthresh am_droprate drop_entry drop_packet secure_tcp backup_only cache_bypass conn_reuse_mode conntrack
  debug_level est_nice expire_nodest_conn expire_quiescent_template ignore_tunneled lblc_expiration lblcr_expiration
  nat_icmp_send pmtu_disc run_estimation schedule_icmp sloppy_tcp sloppy_sctp snat_reroute sync_version sync_ports
  sync_persist_mode sync_qlen_max sync_sock_size sync_threshold sync_refresh_period sync_retries`.split(/\s+/);

it('knows every name of the kernel', () => {
  expect(SYSCTL_NAMES.toSorted()).toEqual(
    [...REFERENCE, 'sync_period', 'early_drop', 'tcp_max_syn_backlog'].toSorted(),
  );
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

const SRC = path.resolve(import.meta.dirname, '../../src');
/** Where a director runs: `doctor`, `cli` and the schema name sysctls without acting on their values. */
const READERS = ['dataplane', 'conntrack', 'schedulers', 'control/engine', 'control/server', 'control/sync'];

/** All code of the readers, without comments and imports. */
function code(): string {
  return READERS.flatMap((folder) =>
    readdirSync(path.join(SRC, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(SRC, folder, file), 'utf8')),
  )
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|^(import|\}) .*$/gm, '');
}

it('each sysctl has a reader, or says that it has no effect and why', () => {
  const text = code();
  for (const name of SYSCTL_NAMES) {
    const { effect, why }: SysctlRow = SYSCTLS[name];
    const isRead = new RegExp(`(sysctl\\.|\\{ |')${name}\\b`).test(text);
    expect(isRead, name).toBe(effect !== 'none');
    expect(why !== undefined, name).toBe(effect === 'none');
  }
});

it('names what was set to another value without effect', () => {
  expect(ineffective(defaultSysctls())).toEqual([]);
  expect(ineffective({ ...defaultSysctls(), conn_reuse_mode: 0, snat_reroute: 0 })).toEqual(['snat_reroute']);
  expect(withoutEffect('conn_reuse_mode')).toBeUndefined();
  expect(withoutEffect('snat_reroute')).toBe(
    'the value is kept but has no effect: replies are always routed by their new source',
  );
});
