/** What of a configuration cannot change while the director runs. */
import { type Config, ConfigError } from './config.js';

const FIXED = ['devices', 'neighbours', 'socket', 'connections', 'workers'] as const;

/** Throws a ConfigError that names the keys. */
export function refuseFixed(running: Config, wanted: Config): void {
  const changed = FIXED.filter((key) => JSON.stringify(running[key]) !== JSON.stringify(wanted[key]));
  if (changed.length === 0) return;
  throw new ConfigError([`${wanted.file}: ${changed.join(' and ')} cannot change while the director runs: restart it`]);
}
