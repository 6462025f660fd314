/** How a command ends early, and ipvsadm's sentences for the director's refusals. */
import type { AdminRequest, Errno } from '../control/api/api.js';

/** Ends the command as exit(3) does: what was printed before stays. */
export class Exit extends Error {
  /** `message` is printed on stderr, with a newline. */
  constructor(
    readonly rc: number,
    message: string,
  ) {
    super(message);
  }
}

/** Ends one line of -R; the other lines go on. */
export class BadLine extends Exit {}

/** A mistake on the command line: exit code 2. */
export function fail(message: string): never {
  throw new Exit(2, message);
}

/** The exit code -1 as a shell sees it. */
export const FAILED = 255;

type Sentences = Partial<Record<Errno, string>>;

const NO_SERVICE = 'No such service';
const NO_SCHEDULER = 'Scheduler or persistence engine not found';
const UNDEFINED_SERVICE = 'Service not defined';
const NO_DESTINATION = 'No such destination';

const BY_OPERATION: Partial<Record<AdminRequest['op'], Sentences>> = {
  addService: { EEXIST: 'Service already exists', ENOENT: NO_SCHEDULER },
  editService: { ESRCH: NO_SERVICE, ENOENT: NO_SCHEDULER },
  deleteService: { ESRCH: NO_SERVICE },
  zero: { ESRCH: NO_SERVICE },
  list: { ESRCH: NO_SERVICE },
  addDestination: { ESRCH: UNDEFINED_SERVICE, EEXIST: 'Destination already exists' },
  editDestination: { ESRCH: UNDEFINED_SERVICE, ENOENT: NO_DESTINATION },
  startDaemon: { EEXIST: 'Daemon has already run' },
  stopDaemon: { ESRCH: 'No daemon is running' },
  deleteDestination: { ESRCH: UNDEFINED_SERVICE, ENOENT: NO_DESTINATION },
};

const ALWAYS: Readonly<Record<Errno, string>> = {
  EEXIST: 'File exists',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EPERM: 'Permission denied (you must be root)',
  ENOMEM: 'Memory allocation problem',
  EINVAL: 'Invalid operation.  Possibly wrong module version, address not unicast, ...',
  ERANGE: 'Numerical result out of range',
  ENODEV: 'No such device',
};

/** ipvsadm's sentence for a refusal of the director. */
export function sentence(operation: AdminRequest['op'], errno: Errno): string {
  return BY_OPERATION[operation]?.[errno] ?? ALWAYS[errno];
}
