/**
 * The entry point `ulvs`: a director as a function, its configuration, and the reasons for drops.
 * What is exported here, in `ulvs/wire`, `ulvs/replay` and `ulvs/client` is the package's stable
 * surface (SemVer); other files of the package are not importable.
 */
import { DROP_NAMES, DROP_TEXTS, type DropReason } from '../stats/drops.js';

export type { ConnectionEntry } from '../control/api/api.js';
export {
  type AcceptConfig,
  type Config,
  ConfigError,
  type DeviceConfig,
  loadConfig,
  type NeighbourConfig,
  type PolicyConfig,
  parseConfig,
  type RouteConfig,
  type RuleLine,
  type SnatConfig,
} from '../control/config/config.js';
export { RuleLineError } from '../control/config/rule-lines.js';
export type { TraceStep } from '../dataplane/trace/trace.js';
export type { DropReason } from '../stats/drops.js';
export {
  type CommandResult,
  type Counts,
  createDirector,
  type Director,
  type Outcome,
  type SentFrame,
  type Verdict,
} from './director.js';

/** Every reason for which a director drops frames, with one English sentence each. */
export const DROP_REASONS: ReadonlyMap<DropReason, string> = new Map(
  DROP_NAMES.map((name, i): [DropReason, string] => [name, DROP_TEXTS[i]!]).filter(([name]) => name !== 'none'),
);
