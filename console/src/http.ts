/** Requests to the server of the console. An error's message is one line for the user. */

async function answerOf<T>(response: Response): Promise<T> {
  if (response.status === 401) location.reload();
  const body = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(body.error ?? `the console answered ${response.status}`);
  return body;
}

export async function get<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
  const words = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  return answerOf<T>(await fetch(words.size > 0 ? `${path}?${words}` : path));
}

export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return answerOf<T>(await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}
