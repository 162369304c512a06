// Puts each page of pages/ into the frame, without a package from anywhere.
import { mkdirSync, readdirSync, readFileSync, writeFileSync, copyFileSync } from "node:fs";

const frame = readFileSync("frame.html", "utf8");
mkdirSync("public", { recursive: true });
for (const name of readdirSync("pages")) {
  const page = readFileSync(`pages/${name}`, "utf8");
  const title = page.match(/<h1>(.*?)<\/h1>/)?.[1] ?? "Trails";
  writeFileSync(`public/${name}`, frame.replace("{title}", () => title).replace("{page}", () => page));
}
copyFileSync("style.css", "public/style.css");
