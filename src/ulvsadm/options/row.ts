/** The row of an option: its spelling, its name in checks, what it sets, and how -S writes it. */
import type { DestinationConfig, ServiceConfig } from '../../service/config.js';
import type { Draft } from '../draft.js';
import type { Names } from '../names.js';
import type { Option } from '../scanner.js';
import type { OptionName } from './names.js';

/** An option. It belongs to the list of its commands: options/service.ts, options/server.ts … */
export interface OptionRow extends Option {
  /** The name in checks. Absent: the option may be repeated and is legal everywhere. */
  readonly name?: OptionName;
  /** Sets what the option says. Absent: the option is only noted in `draft.options`. */
  readonly set?: (draft: Draft, text: string, names: Names) => void | Promise<void>;
  /** Instead of `set`, when an optional argument is absent. */
  readonly setDefault?: (draft: Draft) => void;
  /** Lines of the help, for an option that ipvsadm does not have. */
  readonly help?: readonly string[];
}

/** An option of a virtual service. */
export interface ServiceOption extends OptionRow {
  /** The words for -S, with a blank before them; '' for none. */
  readonly save?: (service: ServiceConfig) => string;
}

/** An option of a real server. */
export interface ServerOption extends OptionRow {
  readonly save?: (destination: DestinationConfig) => string;
}

/** The spelling of an option without an argument. */
export function flag(long: string, short?: string): Option {
  return short ? { id: long, long, short, argument: 'none' } : { id: long, long, argument: 'none' };
}

/** The spelling of an option with an argument. */
export function value(long: string, short?: string): Option {
  return { ...flag(long, short), argument: 'required' };
}

/** An option that is only noted: a flag with the same name in checks. */
export function note(name: OptionName, short?: string): OptionRow {
  return { ...flag(name, short), name };
}
