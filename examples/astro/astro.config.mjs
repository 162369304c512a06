import { defineConfig } from "astro/config";

// Pages alone: what happens at request time is in functions/.
export default defineConfig({ output: "static" });
