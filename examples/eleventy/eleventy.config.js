export default function (config) {
  config.addPassthroughCopy("src/style.css");
  config.addPassthroughCopy({ "src/_headers": "_headers" });
  config.addCollection("entries", (pages) => pages.getFilteredByGlob("src/notes/*.md"));
  config.addFilter("day", (date) =>
    new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(date),
  );
  return { dir: { input: "src" } };
}
