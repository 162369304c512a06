export interface Note {
  id: string;
  text: string;
  at: string;
}

async function answer(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return response;
}

export async function list(): Promise<{ title: string; notes: Note[] }> {
  return (await answer(await fetch("/.functions/notes/all"))).json();
}

export async function add(text: string): Promise<Note> {
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) };
  return (await answer(await fetch("/.functions/notes/all", request))).json();
}

export async function remove(id: string): Promise<void> {
  await answer(await fetch(`/.functions/notes/${encodeURIComponent(id)}`, { method: "DELETE" }));
}

export async function digest(): Promise<string> {
  return (await answer(await fetch("/.functions/digest"))).text();
}
