/** Kinds of device that the labs with load can have: interfaces of the host, read by workers. */
import { kindsWith } from '../../device/kinds.js';

export const LOAD_KINDS = kindsWith(({ shared, thread }) => shared && thread === 'worker');
