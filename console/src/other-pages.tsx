/** The pages "Overview", "Drops", "Doctor" and "Lab". */
import { useState } from 'preact/hooks';
import { directorDrawing } from './drawing.js';
import { get, post } from './http.js';
import { labDrawing } from './lab-drawing.js';
import type { History } from './live.js';
import { Picture } from './picture.js';
import { Plot } from './plot.js';
import { duration, short } from './text.js';
import { tonesOf } from './tones.js';
import type { About, Finding, LabDrawing, Snapshot } from './types.js';

interface LiveProps {
  readonly snapshot: Snapshot;
  readonly history: History;
}

export function OverviewPage({ snapshot, history, about }: LiveProps & { about: About }) {
  const { status, services, routes } = snapshot;
  const facts: [string, string][] = [
    ['up for', duration(status.uptime)],
    ['services', `${short(status.services)} with ${short(status.destinations)} destinations`],
    ['connections', `${short(status.table.used)} of ${short(status.table.max)}`],
    ['health', status.health.checked === 0 ? 'no checks' : `${status.health.up} of ${status.health.checked} up`],
    ['workers', `${status.workers.length}`],
    ['memory', `${short(status.memory)}B`],
  ];
  const line = (name: string, column: string) => ({ name, values: history.of(column) });
  return (
    <section>
      <h2>Overview</h2>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Picture
        drawing={directorDrawing({ services, devices: status.devices, routes })}
        title="the director and its real servers"
      />
      {about.lab !== undefined && (
        <>
          <h3>The lab {about.lab.id}</h3>
          <Picture drawing={labDrawing(about.lab, tonesOf(snapshot, about.lab))} title="the lab" />
        </>
      )}
      <div class="columns">
        <Plot title="packets per second" times={history.times} lines={[line('in', 'inpps'), line('out', 'outpps')]} />
        <Plot title="bytes per second" times={history.times} lines={[line('in', 'inbps'), line('out', 'outbps')]} />
        <Plot title="new connections per second" times={history.times} lines={[line('connections', 'cps')]} />
      </div>
    </section>
  );
}

/** Drop reasons that have a line in the plot. */
const LINES = 6;

export function DropsPage({ snapshot, history }: LiveProps) {
  const drops = [...snapshot.status.drops].sort((a, b) => b.packets - a.packets);
  const lines = drops.slice(0, LINES).map(({ name }) => ({ name, values: history.of(`drop ${name}`) }));
  return (
    <section>
      <h2>Drops</h2>
      {drops.length === 0 && <p>No packet was dropped.</p>}
      {drops.length > 0 && <Plot title="dropped packets per second" times={history.times} lines={lines} height={200} />}
      <div class="scroll" tabIndex={0} role="group" aria-label="drops by reason">
        <table>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col" class="number">
                Packets
              </th>
              <th scope="col" class="number">
                Bytes
              </th>
              <th scope="col">What it means</th>
            </tr>
          </thead>
          <tbody>
            {drops.map(({ name, packets, bytes, text }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{short(packets)}</td>
                <td class="number">{short(bytes)}</td>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function DoctorPage() {
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [state, setState] = useState('');
  const examine = () => {
    setState('The doctor looks at routes, neighbours, sysctls, firewalls …');
    get<{ findings: Finding[] }>('/api/doctor').then(
      (answer) => {
        setFindings(answer.findings);
        setState(answer.findings.length === 0 ? 'healthy: nothing was found' : `${answer.findings.length} found`);
      },
      (error: Error) => setState(error.message),
    );
  };
  return (
    <section>
      <h2>Doctor</h2>
      <p class="actions">
        <button type="button" class="primary" onClick={examine}>
          Examine
        </button>
      </p>
      <p role="status" class="status">
        {state}
      </p>
      {findings?.map((finding) => (
        <FindingCard key={`${finding.id} ${finding.host}`} finding={finding} />
      ))}
    </section>
  );
}

function FindingCard({ finding: { id, host, wrong, seen, consequence, fix } }: { finding: Finding }) {
  return (
    <article class="card finding">
      <h3>{wrong}</h3>
      <dl>
        <dt>where</dt>
        <dd>
          {host} ({id})
        </dd>
        <dt>seen</dt>
        <dd>{seen}</dd>
        <dt>effect</dt>
        <dd>{consequence}</dd>
      </dl>
      {fix.map((words) => (
        <p key={words} class="command">
          <code>{words}</code>
          <button type="button" aria-label={`copy ${words}`} onClick={() => void navigator.clipboard.writeText(words)}>
            Copy
          </button>
        </p>
      ))}
    </article>
  );
}

export function LabPage({ lab, isOperator }: { lab: LabDrawing; isOperator: boolean }) {
  const [message, setMessage] = useState('');
  const [injected, setInjected] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  const attempt = (words: string, work: Promise<string>) => {
    setBusy(true);
    setMessage(words);
    void work.then(setMessage, (error: Error) => setMessage(error.message)).then(() => setBusy(false));
  };
  const inject = (name: string, title: string) =>
    attempt(
      `${title} …`,
      post('/api/lab/break', { fault: name }).then(() => {
        setInjected((old) => [...old, name]);
        return `on: ${title}. Send a request, follow it, and let the doctor look.`;
      }),
    );
  const repair = () =>
    attempt(
      'The doctor looks for faults and runs its commands …',
      post<{ commands: string[] }>('/api/lab/repair').then(({ commands }) => {
        setInjected([]);
        return commands.length === 0 ? 'nothing was found' : `repaired: ${commands.join('; ')}`;
      }),
    );
  const request = () =>
    attempt(
      '…',
      post<{ answer: string }>('/api/lab/request').then(({ answer }) => `the client got: ${answer}`),
    );
  const isOff = !isOperator || isBusy;
  return (
    <section>
      <h2>Lab {lab.id}</h2>
      <p>{lab.summary}</p>
      <p class="actions">
        <button type="button" disabled={isOff} onClick={request}>
          Send a request from the client
        </button>
        <button type="button" disabled={isOff} onClick={repair}>
          Switch all faults off
        </button>
      </p>
      <p role="status" class="status">
        {message}
      </p>
      <h3>Faults</h3>
      <ul class="faults">
        {lab.faults.map(({ name, title }) => (
          <li key={name}>
            <button
              type="button"
              role="switch"
              aria-checked={injected.includes(name)}
              disabled={isOff || injected.includes(name)}
              onClick={() => inject(name, title)}
            >
              {injected.includes(name) ? 'on' : 'off'}
            </button>{' '}
            <b>{name}</b> {title}
          </li>
        ))}
      </ul>
    </section>
  );
}
