/**
 * The controller of generic netlink (nlctrl, id 16): CTRL_CMD_GETFAMILY (ctrl_getfamily,
 * ctrl_fill_info of net/netlink/genetlink.c). The families are nlctrl and IPVS; others of the
 * kernel are hidden below `ulvs exec`.
 */
import type { Attributes } from '../../netlink/attribute.js';
import { Refusal } from '../refusal.js';
import { type Answer, OPERATIONS, type Operation } from './commands.js';
import {
  CMD_ATTR_MAX,
  CTRL_ATTR,
  CTRL_ATTR_OP,
  CTRL_CMD,
  GENL,
  GENL_ID_CTRL,
  IPVS_FAMILY_ID,
  IPVS_GENL_NAME,
  IPVS_GENL_VERSION,
} from './constants.js';
import { encoded } from './encode.js';
import { type Policy, validated } from './policy.js';

/** GENL_NAMSIZ is 16 with the NUL. */
const POLICY: Policy = {
  [CTRL_ATTR.FAMILY_ID]: { kind: 'u16' },
  [CTRL_ATTR.FAMILY_NAME]: { kind: 'string', max: 15 },
};

interface Family {
  readonly name: string;
  readonly id: number;
  readonly version: number;
  readonly maxAttribute: number;
  readonly operations: ReadonlyMap<number, number>;
}

const CONTROLLER: Family = {
  name: 'nlctrl',
  id: GENL_ID_CTRL,
  version: 2,
  maxAttribute: 10,
  operations: new Map([[CTRL_CMD.GETFAMILY, GENL.CMD_CAP_DO | GENL.CMD_CAP_DUMP | GENL.CMD_CAP_HASPOL]]),
};
const IPVS: Family = {
  name: IPVS_GENL_NAME,
  id: IPVS_FAMILY_ID,
  version: IPVS_GENL_VERSION,
  maxAttribute: CMD_ATTR_MAX,
  operations: new Map(
    [...OPERATIONS].filter(isPresent).map(([command, { once, dump }]) => {
      const can = (once ? GENL.CMD_CAP_DO : 0) | (dump ? GENL.CMD_CAP_DUMP : 0);
      return [command, GENL.ADMIN_PERM | can | GENL.CMD_CAP_HASPOL];
    }),
  ),
};
/** IPVS_CMD_SET_INFO is a number for answers only. */
function isPresent([, { once, dump }]: [number, Operation]): boolean {
  return once !== undefined || dump !== undefined;
}

const FAMILIES = [CONTROLLER, IPVS];

/**
 * Throws a Refusal: EOPNOTSUPP, EINVAL without a name and id, ENOENT for a family that is not here.
 */
export function control(command: number, bytes: Uint8Array, dump: boolean): Answer[] {
  if (command !== CTRL_CMD.GETFAMILY) throw new Refusal('EOPNOTSUPP');
  const attributes = validated(bytes, POLICY);
  return (dump ? FAMILIES : [find(attributes)]).map((one) => ({ command: CTRL_CMD.NEWFAMILY, body: encode(one) }));
}

function find(attributes: Attributes): Family {
  const [id, name] = [attributes.u16(CTRL_ATTR.FAMILY_ID), attributes.text(CTRL_ATTR.FAMILY_NAME)];
  if (id === undefined && name === undefined) throw new Refusal('EINVAL');
  const found = FAMILIES.find((one) => (name === undefined ? one.id === id : one.name === name));
  if (found === undefined) throw new Refusal('ENOENT');
  return found;
}

function encode({ name, id, version, maxAttribute, operations }: Family): Uint8Array {
  return encoded((to) => {
    to.text(CTRL_ATTR.FAMILY_NAME, name);
    to.u16(CTRL_ATTR.FAMILY_ID, id);
    to.u32(CTRL_ATTR.VERSION, version);
    to.u32(CTRL_ATTR.HDRSIZE, 0);
    to.u32(CTRL_ATTR.MAXATTR, maxAttribute);
    to.nest(CTRL_ATTR.OPS, () => {
      for (const [i, [command, flags]] of [...operations].entries())
        to.nest(i + 1, () => {
          to.u32(CTRL_ATTR_OP.ID, command);
          to.u32(CTRL_ATTR_OP.FLAGS, flags);
        });
    });
  });
}
