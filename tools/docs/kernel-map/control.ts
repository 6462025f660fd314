/**
 * Kernel map: rules, defence, rates (ip_vs_ctl.c, ip_vs_est.c, ip_vs_sched.c), synchronisation
 * (ip_vs_sync.c), and what has no counterpart (ip_vs_nfct.c).
 */
import { mapFile } from './parse.js';

export const CTL = mapFile(
  'net/netfilter/ipvs/ip_vs_ctl.c',
  'Services, destinations, the trash, sysctls, the defence strategies, /proc.',
  `
update_defense_level | dataplane/defence.ts: update, setRate, isOn | "Memory is short" means that the connection table's own room is.
defense_work_handler | dataplane/defence.ts: tick; dataplane/housekeeping.ts: tick |
expire_nodest_conn_handler | dataplane/end-conns.ts: tick |
ip_vs_svc_hashkey, ip_vs_svc_fwm_hashkey, ip_vs_svc_hash | service/table.ts: add |
ip_vs_svc_unhash | service/table.ts: delete |
__ip_vs_service_find, __ip_vs_svc_fwm_find, ip_vs_service_find | service/table.ts: find4, find6, findWords |
ip_vs_add_service | control/rules/rules.ts: addService; control/rules/refusals.ts: refuseService; control/engine/apply.ts: addService |
ip_vs_edit_service | control/rules/rules.ts: editService; control/engine/apply.ts: editService |
ip_vs_del_service, __ip_vs_del_service, ip_vs_unlink_service | control/rules/rules.ts: removeService; control/engine/apply.ts: deleteService |
__ip_vs_bind_svc | control/engine/apply.ts: addDestination |
__ip_vs_svc_put, ip_vs_service_free, ip_vs_service_rcu_free | control/rules/slots.ts: addReference, release |
ip_vs_flush | control/rules/rules.ts: request |
ip_vs_lookup_dest | control/rules/entries.ts: find |
ip_vs_new_dest | control/rules/destinations.ts: create; control/rules/refusals.ts: refuseDestination |
ip_vs_add_dest | control/rules/destinations.ts: add; control/engine/apply.ts: addDestination |
ip_vs_edit_dest | control/rules/destinations.ts: edit; control/engine/apply.ts: editDestination |
__ip_vs_update_dest | control/rules/destinations.ts: attach; control/engine/apply.ts: setDestination |
ip_vs_del_dest, __ip_vs_unlink_dest, __ip_vs_del_dest | control/rules/destinations.ts: delete, remove; control/engine/apply.ts: removeDestination |
ip_vs_trash_get_dest | control/rules/dest-trash.ts: takeOut; control/rules/destinations.ts: revive |
ip_vs_dest_trash_expire, ip_vs_dest_free | control/rules/dest-trash.ts: tick, isOver |
ip_vs_trash_cleanup | - | The trash ends with the process.
ip_vs_dest_update_overload, __ip_vs_dest_update_overload | service/service.ts: noteBound, noteUnbound, noteThresholds |
ip_vs_rs_hash, ip_vs_rs_hashkey, ip_vs_rs_unhash | dataplane/table/senders.ts: add, remove, changeSource |
ip_vs_has_real_service | dataplane/path/stray-reply.ts: isFromDestination |
ip_vs_find_real_service | dataplane/path/server-opened.ts: senderOf |
ip_vs_find_tunnel | dataplane/path/icmp-tunnel.ts: findTunnel; dataplane/table/senders.ts: change |
ip_vs_find_dest | dataplane/sync/backup.ts: takeConn | The destination of a received connection.
ip_vs_zero_service, ip_vs_zero_all, ip_vs_zero_stats | control/rules/rules.ts: zero, zeroServices; control/rules/counter-base.ts: zero |
ip_vs_copy_stats, ip_vs_export_stats_user | control/server/live-counters.ts: row; control/rules/counter-base.ts: shown |
ip_vs_set_timeout | control/rules/rules.ts: setTimeouts; control/rules/refusals.ts: refuseTimeouts; conntrack/timeouts.ts: set |
__ip_vs_get_timeouts | control/rules/rules.ts: request |
__ip_vs_get_service_entries, __ip_vs_get_dest_entries, ip_vs_copy_service | control/rules/rules.ts: list, entry |
ip_vs_info_array, ip_vs_info_seq_start, ip_vs_info_seq_next, ip_vs_info_seq_show, ip_vs_info_seq_stop | proc/services.ts: servicesText |
ip_vs_stats_show | proc/stats.ts: statsText |
ip_vs_stats_percpu_show | proc/stats.ts: statsPerCpuText |
ip_vs_fwd_name | ulvsadm/print-services.ts: FORWARD |
proc_do_sync_threshold | service/sysctl.ts: syncThresholdFault |
proc_do_sync_ports | service/sysctl.ts: sysctlFault |
proc_do_defense_mode | dataplane/defence.ts: isOn |
ip_vs_control_net_init_sysctl, ip_vs_control_net_cleanup_sysctl | service/sysctl.ts: SYSCTLS |
do_ip_vs_set_ctl, do_ip_vs_get_ctl | exec/sockopt/set.ts: setOption; exec/sockopt/get.ts: getOption | Under ulvs exec. Other requests are lines of JSON on a Unix socket (control/api/socket.ts).
ip_vs_genl_set_cmd, ip_vs_genl_get_cmd | exec/genl/commands.ts: perform |
ip_vs_genl_parse_service, ip_vs_genl_find_service, ip_vs_is_af_valid | exec/genl/service.ts: parseService, fullService |
ip_vs_genl_parse_dest | exec/genl/destination.ts: parseDestination, fullDestination |
ip_vs_copy_usvc_compat, ip_vs_copy_udest_compat | exec/sockopt/structs.ts: readService, readDestination |
ip_vs_genl_dump_service, ip_vs_genl_dump_services, ip_vs_genl_fill_service | exec/genl/commands.ts: dumpServices; exec/genl/service.ts: encodeService |
ip_vs_genl_dump_dest, ip_vs_genl_dump_dests, ip_vs_genl_fill_dest | exec/genl/commands.ts: dumpDestinations; exec/genl/destination.ts: encodeDestination |
ip_vs_genl_fill_stats, ip_vs_genl_fill_stats64 | exec/genl/stats.ts: writeStats |
ip_vs_genl_set_config | exec/genl/commands.ts: setConfig; control/rules/rules.ts: setTimeouts |
ip_vs_genl_new_daemon, ip_vs_genl_del_daemon, ip_vs_genl_set_daemon, ip_vs_genl_dump_daemon, ip_vs_genl_dump_daemons, ip_vs_genl_fill_daemon | exec/genl/commands.ts: newDaemon, deleteDaemon | As requests startDaemon, stopDaemon and daemons.
ip_vs_genl_register, ip_vs_genl_unregister | exec/genl/controller.ts: control |
ip_vs_register_nl_ioctl, ip_vs_unregister_nl_ioctl | exec/filter/rules.ts: rulesFor |
ip_vs_dst_event, ip_vs_forget_dev | control/host/live-network.ts: changed | Changes of devices, addresses and routes come by rtnetlink, and the router's tables are made anew.
__ip_vs_addr_is_local_v6 | dataplane/director.ts: isLocal6 |
__ip_vs_dst_cache_reset, ip_vs_dest_dst_rcu_free | - | A destination keeps no route.
ip_vs_use_count_inc, ip_vs_use_count_dec, ip_vs_get_debug_level, ip_vs_service_nets_cleanup, ip_vs_control_init, ip_vs_control_cleanup, ip_vs_control_net_init, ip_vs_control_net_cleanup | - | Module and namespace set-up.
`,
);

export const EST = mapFile(
  'net/netfilter/ipvs/ip_vs_est.c',
  'Rates.',
  `
estimation_timer | control/server/live-counters.ts: tick; stats/estimator.ts: update |
ip_vs_read_cpu_stats | stats/sum.ts: gather | One set of counters a worker, not a CPU.
ip_vs_start_estimator, ip_vs_stop_estimator | control/server/live-counters.ts: watch |
ip_vs_zero_estimator | stats/estimator.ts: reset |
ip_vs_read_estimator | stats/estimator.ts: shown |
ip_vs_estimator_net_init, ip_vs_estimator_net_cleanup | - | Namespace set-up.
`,
);

export const SCHED = mapFile(
  'net/netfilter/ipvs/ip_vs_sched.c',
  'The registry of schedulers.',
  `
ip_vs_bind_scheduler, ip_vs_unbind_scheduler | control/engine/apply.ts: setService |
ip_vs_scheduler_get, ip_vs_sched_getbyname, ip_vs_scheduler_put | schedulers/index.ts: schedulerNamed |
register_ip_vs_scheduler, unregister_ip_vs_scheduler | schedulers/index.ts: SCHEDULERS |
ip_vs_scheduler_err | - | The kernel logs "no destination available". ulvs counts noDestination (docs/drops.md).
`,
);

export const NFCT = mapFile(
  'net/netfilter/ipvs/ip_vs_nfct.c',
  'Netfilter conntrack entries for connections (sysctl conntrack).',
  `
ip_vs_update_conntrack, ip_vs_confirm_conntrack, ip_vs_nfct_expect_callback, ip_vs_nfct_expect_related, ip_vs_conn_drop_conntrack | - | The packets of a director do not pass the host's conntrack.
`,
);

export const SYNC = mapFile(
  'net/netfilter/ipvs/ip_vs_sync.c',
  'Connection synchronisation between directors.',
  `
start_sync_thread, ip_vs_sync_net_init | control/sync/daemon.ts: daemonOf; control/sync/daemons.ts: SyncDaemons |
stop_sync_thread, ip_vs_sync_net_cleanup | control/sync/daemons.ts: SyncDaemons |
ip_vs_sync_conn, ip_vs_sync_conn_v0, select_master_thread_id | dataplane/sync/master.ts: RingMaster; dataplane/sync/fill.ts: fillConn; wire/sync.ts: writeConn; wire/sync-v0.ts: writeConnV0 | Written into a ring in shared memory.
ip_vs_sync_conn_needed, in_persistence | dataplane/sync/master.ts: RingMaster |
ip_vs_sync_buff_create, ip_vs_sync_buff_create_v0, ip_vs_sync_buff_release, sync_thread_master, master_wakeup_work_handler, next_sync_buff, get_curr_sync_buff, sb_dequeue, sb_queue_tail | control/sync/master.ts: SyncMaster; control/sync/master-buffer.ts: MasterBuffer | Packed by the control thread.
sync_thread_backup | control/sync/backup.ts: SyncBackup |
ip_vs_process_message, ip_vs_process_message_v0, hton_seq, ntoh_seq | wire/sync-message.ts: readHeader, readConns; wire/sync-v0.ts: readConnV0 |
ip_vs_proc_sync_conn, ip_vs_proc_seqopt, ip_vs_proc_str, ip_vs_conn_fill_param_sync, ip_vs_sync_validate_flags | wire/sync.ts: readConn, checkConn |
ip_vs_proc_conn | dataplane/sync/backup.ts: takeConn |
ip_vs_send_async, ip_vs_send_sync_msg, ip_vs_receive | control/sync/udp.ts: UdpNet |
make_send_sock, make_receive_sock, set_sock_size, set_mcast_loop, set_mcast_ttl, set_mcast_pmtudisc, set_mcast_if, join_mcast_group, join_mcast_group6, bind_mcastif_addr, get_mcast_sockaddr | sys/multicast.ts: multicastSender, multicastReceiver |
`,
);
