/** What the page and the director say to each other: the types of the server's side. */
export type {
  AdminRequest,
  DestinationEntry,
  DirectorStatus,
  FoundConnection,
  NextHop,
  ServiceEntry,
} from '../../src/control/api/api.js';
export type { ConsoleChange } from '../../src/control/console/changes.js';
export type { LabDrawing } from '../../src/control/console/extras.js';
export type { Followed } from '../../src/control/console/follow.js';
export type { FollowState, Snapshot } from '../../src/control/console/live.js';
export type { Recording } from '../../src/control/console/recording.js';
export type { Finding } from '../../src/doctor/facts.js';
export type { OutView, StepView } from '../../src/trace/packet-view.js';

import type { LabDrawing } from '../../src/control/console/extras.js';

/** Who looks, and what this console can do. */
export interface About {
  readonly user: string;
  readonly role: 'operator' | 'reader';
  readonly lab?: LabDrawing;
  readonly doctor: boolean;
  /** What an undo would take back, in words. */
  readonly undo: readonly string[];
}
