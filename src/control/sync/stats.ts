/** Counters of synchronisation, since the start of the director. */

/** What each counter counts, for `ulvs stats` and the metrics. */
export const SYNC_COUNTERS = {
  messagesSent: 'messages sent',
  connectionsSent: 'connections sent',
  messagesReceived: 'messages received',
  connectionsReceived: 'connections received',
  skipped: 'connections skipped: unknown protocol, state or option',
  malformed: 'messages malformed',
  otherSyncid: 'messages of another syncid',
  unauthentic: 'messages without the right key, or repeated',
  ringFull: 'connections lost: the ring of a worker was full',
  queueFull: 'messages lost: sync_qlen_max waited',
  requests: 'backups that asked for everything',
} as const;

export type SyncStats = { -readonly [K in keyof typeof SYNC_COUNTERS]: number };

export function newSyncStats(): SyncStats {
  return Object.fromEntries(Object.keys(SYNC_COUNTERS).map((name) => [name, 0])) as SyncStats;
}
