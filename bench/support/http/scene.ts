import type { Place } from './placement.js';
import type { Site } from './site.js';

/** What a balancer, or who loads it, has to know. */
export interface Scene {
  readonly site: Site;
  readonly place: Place;
  /** Where its configurations, sockets and logs go. */
  readonly directory: string;
}
