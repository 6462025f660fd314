/** The surroundings of a measurement: the network, the placement and the folder for files. */
import type { Place } from './placement.js';
import type { Site } from './site.js';

/** What a balancer and its load need to know. */
export interface Scene {
  readonly site: Site;
  readonly place: Place;
  /** Folder of configurations, sockets and logs. */
  readonly directory: string;
}
