/** Makes all generated documents in memory. generate.ts writes them, test/docs compares them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { commandDocuments } from './commands-document.js';
import { configurationDocuments } from './configuration.js';
import { devicesDocument } from './devices.js';
import { dropsDocument } from './drops.js';
import { readmeDocument } from './headlines.js';
import { kernelMapDocument } from './kernel-map.js';
import { performanceDocument } from './performance.js';
import { protocolDocument } from './protocol.js';
import { scaleDocument } from './scale.js';
import { schedulersDocument } from './schedulers.js';
import { soakDocument } from './soak.js';
import type { Document } from './text/blocks.js';

/** `root`: the folder of the repository. */
export async function documents(root: string): Promise<Document[]> {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return [
    ...(await commandDocuments(version)),
    ...configurationDocuments(root, version),
    devicesDocument(),
    dropsDocument(),
    kernelMapDocument(),
    performanceDocument(root),
    protocolDocument(),
    scaleDocument(root),
    schedulersDocument(root),
    soakDocument(root),
    ...readmeDocument(root),
  ];
}
