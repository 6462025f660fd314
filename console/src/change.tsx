/**
 * Changes of rules: what would change is shown first, and made when it is confirmed.
 *
 *     propose(changes) ─► /api/preview ─► dialog ─► confirmed ─► /api/change ─► undo is possible
 */
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.js';
import { post } from './http.js';
import type { AdminRequest, ConsoleChange } from './types.js';

export type Change = ConsoleChange | Extract<AdminRequest, { op: 'drain' }>;
export type Propose = (changes: readonly Change[]) => void;

interface Proposal {
  readonly changes: readonly Change[];
  readonly words: readonly string[];
}

export interface ChangeState {
  readonly proposal: Proposal | undefined;
  /** What went wrong, or what was done. */
  readonly message: string;
  /** What an undo takes back. */
  readonly undo: readonly string[];
  readonly propose: Propose;
  confirm(): void;
  cancel(): void;
  takeBack(): void;
}

export function useChanges(initial: readonly string[]): ChangeState {
  const [proposal, setProposal] = useState<Proposal>();
  const [message, setMessage] = useState('');
  const [undo, setUndo] = useState(initial);
  const attempt = (work: Promise<string>) => void work.then(setMessage, (error: Error) => setMessage(error.message));
  return {
    proposal,
    message,
    undo,
    propose: (changes) =>
      attempt(
        post<{ words: string[] }>('/api/preview', { changes }).then(({ words }) => {
          setProposal({ changes, words });
          return '';
        }),
      ),
    confirm: () => {
      setProposal(undefined);
      attempt(
        post<{ undo: string[] }>('/api/change', { changes: proposal?.changes }).then((answer) => {
          setUndo(answer.undo);
          return `done: ${answer.undo.join('; ')}`;
        }),
      );
    },
    cancel: () => setProposal(undefined),
    takeBack: () =>
      attempt(
        post<{ undone: string[]; undo: string[] }>('/api/undo').then((answer) => {
          setUndo(answer.undo);
          return `undone: ${answer.undone.join('; ')}`;
        }),
      ),
  };
}

export function Confirmation({ state }: { state: ChangeState }) {
  const { proposal } = state;
  if (proposal === undefined) return null;
  return (
    <Dialog title="This will change" onClose={state.cancel}>
      <ul class="diff">
        {proposal.words.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
      <p class="actions">
        <button type="button" onClick={state.cancel}>
          Cancel
        </button>
        <button type="button" class="primary" onClick={state.confirm}>
          Change it
        </button>
      </p>
    </Dialog>
  );
}

export function UndoBar({ state }: { state: ChangeState }) {
  return (
    <p class="undo" role="status">
      <span>{state.message}</span>
      {state.undo.length > 0 && (
        <button type="button" onClick={state.takeBack}>
          Undo: {state.undo[0]}
        </button>
      )}
    </p>
  );
}
