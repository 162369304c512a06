// What both sites share: the frame and the style around each page of the site it is called in.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const shared = (name) => fileURLToPath(new URL(name, import.meta.url));
const frame = readFileSync(shared("frame.html"), "utf8");
mkdirSync("public", { recursive: true });
for (const name of readdirSync("pages")) {
  const page = readFileSync(`pages/${name}`, "utf8");
  const title = page.match(/<h1>(.*?)<\/h1>/)?.[1] ?? "Harbour";
  writeFileSync(`public/${name}`, frame.replace("{title}", () => title).replace("{page}", () => page));
}
copyFileSync(shared("style.css"), "public/style.css");
