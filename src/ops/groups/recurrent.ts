// Networks that go through sequences step by step: a line an op.
export { recurrence } from '../recurrence.ts';
export { gru, gruCell, lstm, lstmCell, rnn } from '../recurrent.ts';
