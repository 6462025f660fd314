/** The console: its pages, by the part of the address behind #. */
import { useEffect, useState } from 'preact/hooks';
import { type ChangeState, useChanges } from './change.js';
import { ConnectionsPage } from './connections.js';
import { FollowPage } from './follow.js';
import { get } from './http.js';
import { type LiveState, useLive } from './live.js';
import { DoctorPage, DropsPage, LabPage, OverviewPage } from './other-pages.js';
import { ServicesPage } from './services.js';
import { ThemeButton } from './theme.js';
import type { About } from './types.js';

const PAGES: readonly (readonly [string, string])[] = [
  ['overview', 'Overview'],
  ['services', 'Services'],
  ['connections', 'Connections'],
  ['follow', 'Follow'],
  ['drops', 'Drops'],
  ['doctor', 'Doctor'],
  ['lab', 'Lab'],
];

export function App() {
  const [about, setAbout] = useState<About>();
  const [trouble, setTrouble] = useState('');
  useEffect(() => {
    get<About>('/api/about').then(setAbout, (error: Error) => setTrouble(error.message));
  }, []);
  if (about === undefined) return <main>{trouble || 'loading …'}</main>;
  return <Console about={about} />;
}

function Console({ about }: { about: About }) {
  const live = useLive();
  const changes = useChanges(about.undo);
  const [page, argument] = useAddress();
  const pages = PAGES.filter(
    ([name]) => (name !== 'lab' || about.lab !== undefined) && (name !== 'doctor' || about.doctor),
  );
  useEffect(() => {
    document.title = `ulvs: ${page}`;
  }, [page]);
  useDigits(pages.map(([name]) => name));
  return (
    <>
      <a class="skip" href="#content">
        to the content
      </a>
      <header class="top">
        <h1>ulvs</h1>
        <nav aria-label="pages">
          {pages.map(([name, title], i) => (
            <a key={name} href={`#/${name}`} aria-current={name === page ? 'page' : undefined} title={`key ${i + 1}`}>
              {title}
            </a>
          ))}
        </nav>
        <div class="who">
          <ThemeButton />
          <form method="post" action="/logout">
            <span>{about.user}</span> <button type="submit">Log out</button>
          </form>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        {live.trouble !== '' && (
          <p role="alert" class="trouble">
            {live.trouble}: what you see is old.
          </p>
        )}
        <Page {...{ page, argument, live, about, changes }} />
      </main>
    </>
  );
}

interface PageProps {
  readonly page: string;
  readonly argument: string;
  readonly live: LiveState;
  readonly about: About;
  readonly changes: ChangeState;
}

function Page({ page, argument, live: { snapshot, history }, about, changes }: PageProps) {
  const isOperator = about.role === 'operator';
  if (snapshot === undefined) return <p>waiting for the director …</p>;
  if (page === 'services') return <ServicesPage {...{ snapshot, history, changes, isOperator }} />;
  if (page === 'connections') return <ConnectionsPage />;
  if (page === 'follow') return <FollowPage {...{ snapshot, about }} filter={argument} />;
  if (page === 'drops') return <DropsPage {...{ snapshot, history }} />;
  if (page === 'doctor' && about.doctor) return <DoctorPage />;
  if (page === 'lab' && about.lab !== undefined) return <LabPage lab={about.lab} isOperator={isOperator} />;
  return <OverviewPage {...{ snapshot, history, about }} />;
}

/** The page and what follows its name: #/follow/host%2010.0.0.1. */
function useAddress(): [string, string] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  const [, page = 'overview', argument = ''] = /^#\/(\w+)(?:\/(.*))?$/.exec(hash) ?? [];
  return [page, decoded(argument)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** The digits lead to the pages. */
function useDigits(pages: readonly string[]): void {
  useEffect(() => {
    const listen = ({ key, target, ctrlKey, altKey, metaKey }: KeyboardEvent) => {
      if (ctrlKey || altKey || metaKey || (target instanceof HTMLElement && target.closest('input, select, dialog')))
        return;
      const page = pages[Number(key) - 1];
      if (page !== undefined) location.hash = `#/${page}`;
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  });
}
