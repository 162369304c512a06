import { add } from "./api";

/** Loaded only when somebody writes: the part of the site that arrives late. */
export function open(place: HTMLElement, saved: () => Promise<void>): void {
  place.innerHTML = `
    <form>
      <textarea name="text" rows="3" placeholder="Markdown is welcome" required></textarea>
      <button type="submit">Save</button>
    </form>`;
  const form = place.querySelector("form")!;
  form.querySelector("textarea")!.focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await add(String(new FormData(form).get("text")));
    place.replaceChildren();
    await saved();
  });
}
