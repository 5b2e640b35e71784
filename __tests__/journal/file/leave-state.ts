import { closeSync, fstatSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { formatState, identify, type State } from '../../../lib/journal/file/state.ts';

/** The state that a run of the epoch `first` leaves beside the journal at `path` when it is killed. */
export function leaveState(path: string, rest: Partial<State> & Pick<State, 'head'>): void {
  const file = openSync(`${path}.state`, 'w');
  const self = identify(fstatSync(file, { bigint: true }));
  writeSync(file, formatState({ ...killed(), self, ...rest }));
  closeSync(file);
}

const killed = () => ({
  epoch: 'first',
  start: 0,
  clean: false,
  synced: false,
  boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  at: Date.now(),
});

/** Changes what the state says, in the same file. */
export function editState(path: string, change: Partial<State>): void {
  const state = JSON.parse(readFileSync(`${path}.state`, 'utf8'));
  writeFileSync(`${path}.state`, formatState({ ...state, ...change }), { flag: 'r+' });
}
