/**
 * The forms for a new service and a new real server. Their fields begin with values and keep what is typed: a field with `value` would
 * lose it with the next snapshot.
 */
import type { ComponentChildren } from 'preact';
import type { Propose } from './change.js';
import { Dialog } from './dialog.js';
import { METHODS, serviceName } from './text.js';
import type { ConsoleChange, ServiceEntry } from './types.js';

type AddDestination = Extract<ConsoleChange, { op: 'addDestination' }>;

interface AddProps {
  readonly propose: Propose;
  readonly onClose: () => void;
}

const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'];
const PLAIN = { type: 'ipip', port: 0, checksum: '' } as const;

interface FormProps extends AddProps {
  readonly title: string;
  readonly submit: (fields: FormData) => void;
  readonly children: ComponentChildren;
}

function Form({ title, submit, onClose, children }: Omit<FormProps, 'propose'>) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          submit(new FormData(event.currentTarget));
          onClose();
        }}
      >
        {children}
        <p class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Show what changes
          </button>
        </p>
      </form>
    </Dialog>
  );
}

function text(fields: FormData, name: string): string {
  return String(fields.get(name) ?? '').trim();
}

export function AddServer({ service, propose, onClose }: AddProps & { readonly service: ServiceEntry }) {
  const method = service.destinations[0]?.method ?? 'gatewaying';
  const port = service.destinations[0]?.port ?? ('port' in service.key ? service.key.port : 0);
  const submit = (fields: FormData) => {
    const destination = {
      address: text(fields, 'address'),
      port: Number(text(fields, 'port')),
      method: text(fields, 'method') as AddDestination['destination']['method'],
      weight: Number(text(fields, 'weight')),
      upperThreshold: 0,
      lowerThreshold: 0,
      tunnel: PLAIN,
    };
    propose([{ op: 'addDestination', key: service.key, destination }]);
  };
  return (
    <Form title={`A real server for ${serviceName(service)}`} {...{ submit, onClose }}>
      <label>
        Address <input name="address" required placeholder="192.168.1.14" />
      </label>
      <label>
        Port <input name="port" type="number" min="0" max="65535" required defaultValue={port} />
      </label>
      <label>
        Method{' '}
        <select name="method">
          {Object.entries(METHODS).map(([name, words]) => (
            <option key={name} value={name} selected={name === method}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        Weight <input name="weight" type="number" min="0" max="65535" required defaultValue="1" />
      </label>
    </Form>
  );
}

export function AddService({ propose, onClose }: AddProps) {
  const submit = (fields: FormData) => {
    const key = {
      protocol: Number(text(fields, 'protocol')),
      address: text(fields, 'address'),
      port: Number(text(fields, 'port')),
    };
    const netmask = key.address.includes(':') ? 128 : 0xffffffff;
    const service = { key, scheduler: text(fields, 'scheduler'), flags: 0, timeout: 0, netmask, pe: '' };
    propose([{ op: 'addService', service }]);
  };
  return (
    <Form title="A new service" {...{ submit, onClose }}>
      <label>
        Protocol{' '}
        <select name="protocol">
          <option value="6">TCP</option>
          <option value="17">UDP</option>
          <option value="132">SCTP</option>
        </select>
      </label>
      <label>
        Virtual address <input name="address" required placeholder="10.0.0.100" />
      </label>
      <label>
        Port <input name="port" type="number" min="1" max="65535" required defaultValue="80" />
      </label>
      <label>
        Scheduler{' '}
        <select name="scheduler">
          {SCHEDULERS.map((name) => (
            <option key={name} selected={name === 'wlc'}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </Form>
  );
}
