import { defineConfig } from "vite";

export default defineConfig({
  build: {
    manifest: true, // names the files that carry their own hash: they are uploaded once, for ever
    rollupOptions: { input: ["index.html", "about.html"] },
  },
});
