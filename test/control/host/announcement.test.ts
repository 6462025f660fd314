/** What a director announces, and from when on. */
import { expect, it } from 'vitest';
import { Announcement } from '../../../src/control/host/announcement.js';
import type { VipRoutes } from '../../../src/control/host/vip-routes.js';

it('announces nothing before it knows the connections of others, and goes on whatever happens then', () => {
  let [updates, isSettled] = [0, false];
  const routes = { update: () => updates++ } as unknown as VipRoutes;
  const rules = { rules: { slotted: () => [] }, view: {} } as never;
  const announcement = new Announcement(
    1085,
    () => routes,
    () => rules,
    () => isSettled,
  );
  announcement.refresh();
  announcement.begin();
  expect(updates).toBe(0);
  isSettled = true;
  announcement.begin();
  announcement.begin();
  expect(updates).toBe(1);
  // A backup daemon that is started anew asks again.
  isSettled = false;
  announcement.refresh();
  expect(updates).toBe(2);
});
