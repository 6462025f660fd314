/** The page "Services": rates, real servers, and changes of both. */
import { useState } from 'preact/hooks';
import { AddServer, AddService } from './add.js';
import { type ChangeState, Confirmation, UndoBar } from './change.js';
import { stateOf, toneOf } from './drawing.js';
import { HealthTable } from './health.js';
import type { History } from './live.js';
import { Plot } from './plot.js';
import { endpoint, METHODS, serviceName, short } from './text.js';
import type { DestinationEntry, ServiceEntry, Snapshot } from './types.js';

interface ServicesProps {
  readonly snapshot: Snapshot;
  readonly history: History;
  readonly changes: ChangeState;
  readonly isOperator: boolean;
}

/** Services and real servers that are shown until the reader asks for more. */
const FEW = 20;
const MANY = 500;

export function ServicesPage({ snapshot, history, changes, isOperator }: ServicesProps) {
  const [most, setMost] = useState(FEW);
  const [adding, setAdding] = useState(false);
  const { services } = snapshot;
  return (
    <section>
      <h2>Services</h2>
      {isOperator && <UndoBar state={changes} />}
      {services.length === 0 && <p>There are no services yet.</p>}
      {services.slice(0, most).map((service) => (
        <Service key={serviceName(service)} {...{ service, history, changes, isOperator }} />
      ))}
      {services.length > most && (
        <button type="button" onClick={() => setMost(most + MANY)}>
          {services.length - most} more services
        </button>
      )}
      {isOperator && (
        <button type="button" onClick={() => setAdding(true)}>
          Add a service
        </button>
      )}
      {adding && <AddService propose={changes.propose} onClose={() => setAdding(false)} />}
      <HealthTable health={snapshot.health} />
      <Confirmation state={changes} />
    </section>
  );
}

interface ServiceProps extends Omit<ServicesProps, 'snapshot'> {
  readonly service: ServiceEntry;
}

function Service({ service, history, changes, isOperator }: ServiceProps) {
  const [most, setMost] = useState(FEW);
  const [adding, setAdding] = useState(false);
  const { key, scheduler, destinations, stats } = service;
  const name = serviceName(service);
  const lines = [
    { name: 'packets in /s', values: history.of(`${name} in`) },
    { name: 'packets out /s', values: history.of(`${name} out`) },
  ];
  return (
    <article class="card" aria-label={name}>
      <header>
        <h3>{name}</h3>
        <p>
          {scheduler}
          {(service.flags & 1) !== 0 && `, persistent ${service.timeout} s`}
          {service.pe !== '' && `, ${service.pe}`} · {short(stats.cps)} conns/s · {short(stats.conns)} connections in
          all
        </p>
      </header>
      <Plot title={`rates of ${name}`} times={history.times} lines={lines} height={110} />
      <div class="scroll" tabIndex={0} role="group" aria-label={`real servers of ${name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Real server</th>
              <th scope="col">Method</th>
              <th scope="col">Condition</th>
              <th scope="col" class="number">
                Active
              </th>
              <th scope="col" class="number">
                Inactive
              </th>
              <th scope="col" class="number">
                In /s
              </th>
              <th scope="col">Weight</th>
              {isOperator && <th scope="col">Actions</th>}
            </tr>
          </thead>
          <tbody>
            {destinations.slice(0, most).map((dest) => (
              <Destination key={endpoint(dest.address, dest.port)} {...{ service, dest, changes, isOperator }} />
            ))}
          </tbody>
        </table>
      </div>
      {destinations.length > most && (
        <button type="button" onClick={() => setMost(most + MANY)}>
          {destinations.length - most} more real servers
        </button>
      )}
      {isOperator && (
        <p class="actions">
          <button type="button" onClick={() => setAdding(true)}>
            Add a real server
          </button>
          <button type="button" onClick={() => changes.propose([{ op: 'deleteService', key }])}>
            Remove the service
          </button>
        </p>
      )}
      {adding && <AddServer service={service} propose={changes.propose} onClose={() => setAdding(false)} />}
    </article>
  );
}

interface DestinationProps extends Pick<ServicesProps, 'changes' | 'isOperator'> {
  readonly service: ServiceEntry;
  readonly dest: DestinationEntry;
}

function Destination({ service, dest, changes, isOperator }: DestinationProps) {
  const { key } = service;
  const { address, port } = dest;
  const name = endpoint(address, port);
  const isDraining = dest.present?.draining === true;
  const drain = isDraining
    ? { op: 'drain' as const, key, address, port }
    : { op: 'drain' as const, key, address, port, share: 0 };
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{METHODS[dest.method]}</td>
      <td>
        <span class={`badge ${toneOf(dest)}`}>{stateOf(dest)}</span>
        {isDraining && <Drained left={dest.activeConns} name={name} />}
      </td>
      <td class="number">{short(dest.activeConns)}</td>
      <td class="number">{short(dest.inactConns)}</td>
      <td class="number">{short(dest.stats.inpps)}</td>
      <td>{isOperator ? <Weight {...{ service, dest, changes }} /> : dest.weight}</td>
      {isOperator && (
        <td class="actions">
          <button
            type="button"
            aria-label={`${isDraining ? 'undrain' : 'drain'} ${name}`}
            onClick={() => changes.propose([drain])}
          >
            {isDraining ? 'Undrain' : 'Drain'}
          </button>
          <button
            type="button"
            aria-label={`remove ${name}`}
            onClick={() => changes.propose([{ op: 'deleteDestination', key, address, port }])}
          >
            Remove
          </button>
        </td>
      )}
    </tr>
  );
}

/** How many of the connections at the beginning have ended. */
function Drained({ left, name }: { left: number; name: string }) {
  const [first] = useState(Math.max(1, left));
  return (
    <progress max={first} value={Math.max(0, first - left)} aria-label={`${name} drains: ${left} connections left`} />
  );
}

function Weight({ service, dest, changes }: Omit<DestinationProps, 'isOperator'>) {
  const [wanted, setWanted] = useState<number>();
  const { address, port, method, upperThreshold, lowerThreshold, tunnel } = dest;
  const propose = (weight: number) => {
    setWanted(undefined);
    if (weight === dest.weight) return;
    const destination = { address, port, method, weight, upperThreshold, lowerThreshold, tunnel };
    changes.propose([{ op: 'editDestination', key: service.key, destination }]);
  };
  const shown = wanted ?? dest.weight;
  return (
    <label class="weight">
      <span class="number">{shown}</span>
      <input
        type="range"
        min="0"
        max={Math.max(10, dest.weight * 2)}
        value={shown}
        aria-label={`weight of ${endpoint(address, port)}`}
        onInput={(event) => setWanted(event.currentTarget.valueAsNumber)}
        onChange={(event) => propose(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
