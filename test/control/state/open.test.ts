/** What the log says where a director keeps no state. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { openKeeper } from '../../../src/control/state/open.js';

/** No directory can be made there, least of all in a tmpfs. */
const CONFIG = 'socket: /proc/ulvs/ulvs.sock\ndevices: [{ name: eth0 }]\n';

function said(text: string): string[] {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  expect(openKeeper(parseConfig(text, 'director.yaml'), {}, { info: note, warn: note } as never)).toBeUndefined();
  return lines;
}

describe('a director without state', () => {
  it('says that its socket is in no tmpfs', () => {
    expect(said(CONFIG)).toEqual(['a restart keeps no connections: /proc/ulvs is not in a tmpfs (key state)']);
  });

  it('says nothing when that was asked for', () => {
    expect(said(`${CONFIG}state: none`)).toEqual([]);
  });
});
