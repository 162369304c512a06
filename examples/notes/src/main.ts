import "./style.css";
import { list, digest, remove, type Note } from "./api";

const notes = document.querySelector<HTMLUListElement>("#notes")!;
const page = document.querySelector<HTMLElement>("#digest")!;
const title = document.querySelector<HTMLElement>("#title")!;

function item(note: Note): HTMLLIElement {
  const li = document.createElement("li");
  const text = document.createElement("span");
  text.textContent = note.text;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Delete";
  button.addEventListener("click", async () => {
    await remove(note.id);
    await refresh();
  });
  li.append(text, button);
  return li;
}

async function refresh(): Promise<void> {
  const found = await list();
  title.textContent = found.title;
  notes.replaceChildren(...found.notes.map(item));
  if (found.notes.length === 0) notes.innerHTML = '<li class="quiet">Nothing yet. Write the first one.</li>';
  page.innerHTML = await digest();
  page.classList.remove("quiet");
}

document.querySelector("#new")!.addEventListener("click", async () => {
  const { open } = await import("./editor");
  open(document.querySelector("#editor")!, refresh);
});

refresh().catch((error: unknown) => {
  notes.innerHTML = '<li class="quiet">The notes cannot be reached.</li>';
  console.error(error);
});
