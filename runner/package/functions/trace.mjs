// Which files each of the imports on stdin needs, without running any of them: one trace for all.
// In:  {"nft": folder, "root": folder, "entries": {path: code}}; no entry exists on disk.
// Out: {file: [files that need it]}, as absolute paths.

import { readFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";

const { nft, root, entries } = JSON.parse(readFileSync(0, "utf8"));
const { nodeFileTrace } = createRequire(path.join(nft, "package.json"))("@vercel/nft");
const MISSING = new Set(["ENOENT", "ENOTDIR", "EISDIR", "EACCES"]);

async function orNull(promise) {
  try {
    return await promise;
  } catch (error) {
    if (MISSING.has(error.code)) return null;
    throw error;
  }
}

const { reasons } = await nodeFileTrace(Object.keys(entries), {
  base: "/",
  processCwd: root,
  mixedModules: true,
  readFile: async (file) => entries[file] ?? orNull(readFile(file)),
  stat: async (file) => (file in entries ? stat(nft + "/package.json") : orNull(stat(file))),
});
const graph = {};
for (const [file, { parents, ignored }] of reasons) {
  if (!ignored) graph[`/${file}`] = [...parents].map((parent) => `/${parent}`);
}
process.stdout.write(JSON.stringify(graph));
