/** Which requests change the rule table; schema.ts has all of them. */

/** Those that change one service or destination. */
export const RULE_CHANGES = [
  'addService',
  'editService',
  'deleteService',
  'addDestination',
  'editDestination',
  'deleteDestination',
] as const;

/** Those that a batch may hold. */
export const CHANGES = [...RULE_CHANGES, 'flush', 'zero', 'setTimeouts'] as const;
