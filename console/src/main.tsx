/** Begins the page: a recording if there is one in it, otherwise the console of a director. */
import { render } from 'preact';
import { App } from './app.js';
import { RecordedPage } from './recorded.js';
import './style.css';
import type { Recording } from './types.js';

const data = document.getElementById('recording')?.textContent;
const page = data ? <RecordedPage recording={JSON.parse(data) as Recording} /> : <App />;
render(page, document.getElementById('app')!);
