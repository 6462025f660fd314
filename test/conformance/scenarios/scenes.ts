/**
 * All scenes of the conformance tests except the random ones. test/conformance/tools/run write
 * makes scenarios of them.
 */
import { foundScenes } from './found.js';
import { foundFirstScenes } from './found-first.js';
import { foundWideScenes } from './found-wide.js';
import { fragmentScenes } from './fragments.js';
import { ftpScenes } from './ftp.js';
import { icmpScenes } from './icmp.js';
import { tunnelScenes } from './icmp-tunnel.js';
import { lifeScenes } from './life.js';
import { methodScenes } from './methods.js';
import { oddScenes } from './odds.js';
import { persistenceScenes } from './persistence.js';
import { sipScenes } from './sip.js';
import type { Scene } from './stage.js';
import { stateScenes } from './states.js';
import { syncScenes } from './sync.js';
import { backupScenes } from './sync-backup.js';

export const scenes: readonly Scene[] = [
  ...stateScenes,
  ...lifeScenes,
  ...persistenceScenes,
  ...methodScenes,
  ...icmpScenes,
  ...tunnelScenes,
  ...fragmentScenes,
  ...ftpScenes,
  ...sipScenes,
  ...oddScenes,
  ...foundScenes,
  ...foundFirstScenes,
  ...foundWideScenes,
  ...syncScenes,
  ...backupScenes,
];
