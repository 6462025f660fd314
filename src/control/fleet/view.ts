/** The directors of a fleet as etcd knows them, compared with the rules that etcd has. */
import type { EtcdClient } from './etcd-client.js';
import { type MemberEntry, membersOf } from './member.js';
import { digestOf, directorsBelow, linesOf, servicesBelow } from './rule-keys.js';

/** A director of the fleet. */
export interface DirectorView extends Omit<MemberEntry, 'rules'> {
  /**
   * equal: it has the rules of etcd. behind: it has older ones. refused: it cannot apply those of
   * etcd, see `why`.
   */
  readonly rules: 'equal' | 'behind' | 'refused';
  /** Revision of etcd's store of its rules; 0: it has none. */
  readonly revision: number;
  readonly why: string;
}

export interface FleetView {
  /** Revision of etcd's store at which it was asked. */
  readonly revision: number;
  /** As of digestOf. */
  readonly digest: string;
  /** Keys and lines of the rules. */
  readonly keys: number;
  readonly lines: number;
  readonly directors: readonly DirectorView[];
}

/** Reads the fleet. Rejects with EtcdAway or EtcdRefused. */
export async function readView(client: EtcdClient, prefix: string): Promise<FleetView> {
  const { entries: members } = await client.range(directorsBelow(prefix));
  const { revision, entries } = await client.range(servicesBelow(prefix));
  const digest = digestOf(entries);
  const directors = membersOf(members).map((member) => viewOf(member, digest));
  return { revision, digest, keys: entries.length, lines: linesOf(entries).length, directors };
}

function viewOf({ rules, ...member }: MemberEntry, digest: string): DirectorView {
  const { revision, refused: why } = rules;
  const state = rules.digest === digest ? 'equal' : why === '' ? 'behind' : 'refused';
  return { ...member, rules: state, revision, why };
}
