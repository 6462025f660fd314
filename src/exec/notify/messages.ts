/** Messages between the main thread and the supervisor's. */

export interface SupervisorData {
  /** Path of the control socket. */
  readonly socket: string;
  /** The name of the director's table when the command starts. */
  readonly table: string;
  /** An eventfd; input on it ends the supervisor. */
  readonly wake: number;
}

/** In place of the listener: there is none, and the supervisor ends. */
export const NO_LISTENER = -1;

export type FromSupervisor =
  | { readonly kind: 'ready' }
  /** One line for the user. */
  | { readonly kind: 'report'; readonly line: string }
  /** The command must not go on, and why. */
  | { readonly kind: 'end'; readonly reason: string };
