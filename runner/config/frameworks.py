"""The frameworks that we know, as a table: how to tell them, build them, and find what they made.

No code. Which of their files carry a content hash is told in runner/package/fingerprint.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """One row. `packages`: any of them in package.json; `files`: any of them in the repository.

    `scripts` are preferred in this order to `command`, `dev_scripts` to `dev`, the server while
    developing; `publish` is the folder by default.
    """

    name: str
    title: str
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ("build",)
    command: str = ""
    dev_scripts: tuple[str, ...] = ("dev", "develop")
    dev: str = ""
    publish: str = ""


def _endings(name: str, *endings: str) -> tuple[str, ...]:
    return tuple(f"{name}.{ending}" for ending in endings)


VITE = "vite"
CUSTOM = Framework(
    name="custom", title="a build script of its own", dev_scripts=("dev", "start"), publish="dist"
)
PLAIN = Framework(name="html", title="plain HTML", scripts=(), publish=".")

# The first that fits: what builds on another (Astro on Vite) stands before it.
FRAMEWORKS = (
    Framework(
        name="hugo",
        title="Hugo",
        files=(
            *_endings("hugo", "toml", "yaml", "yml", "json"),
            *_endings("config/_default/hugo", "toml", "yaml", "yml", "json"),
            "archetypes/default.md",
        ),
        configs=(
            *_endings("hugo", "toml", "yaml", "yml", "json"),
            *_endings("config", "toml", "yaml", "yml", "json"),
            *_endings("config/_default/hugo", "toml", "yaml", "yml", "json"),
        ),
        command="hugo --gc --minify",
        dev_scripts=(),
        dev="hugo server",
        publish="public",
    ),
    Framework(
        name="next",
        title="Next.js static export",
        packages=("next",),
        configs=_endings("next.config", "js", "mjs", "cjs", "ts"),
        command="next build",
        dev="next dev",
        publish="out",
    ),
    Framework(
        name="nuxt",
        title="Nuxt",
        packages=("nuxt", "nuxt3", "nuxt-edge"),
        configs=_endings("nuxt.config", "ts", "js", "mjs"),
        scripts=("generate",),
        command="nuxt generate",
        dev="nuxt dev",
        publish=".output/public",
    ),
    Framework(
        name="sveltekit",
        title="SvelteKit static",
        packages=("@sveltejs/kit",),
        configs=_endings("svelte.config", "js", "mjs", "ts"),
        command="vite build",
        dev="vite dev",
        publish="build",
    ),
    Framework(
        name="gatsby",
        title="Gatsby",
        packages=("gatsby",),
        configs=_endings("gatsby-config", "js", "ts", "mjs"),
        command="gatsby build",
        dev_scripts=("develop", "dev", "start"),
        dev="gatsby develop",
        publish="public",
    ),
    Framework(
        name="astro",
        title="Astro",
        packages=("astro",),
        configs=_endings("astro.config", "mjs", "js", "ts", "mts", "cjs"),
        command="astro build",
        dev="astro dev",
        publish="dist",
    ),
    Framework(
        name="docusaurus",
        title="Docusaurus",
        packages=("@docusaurus/core",),
        configs=_endings("docusaurus.config", "js", "ts", "mjs"),
        command="docusaurus build",
        dev_scripts=("start", "dev"),
        dev="docusaurus start",
        publish="build",
    ),
    Framework(
        name="vitepress",
        title="VitePress",
        packages=("vitepress",),
        configs=_endings(".vitepress/config", "ts", "js", "mts", "mjs"),
        scripts=("docs:build", "build"),
        command="vitepress build",
        dev_scripts=("docs:dev", "dev"),
        dev="vitepress dev",
        publish=".vitepress/dist",
    ),
    Framework(
        name="vuepress",
        title="VuePress",
        packages=("vuepress", "@vuepress/core", "@vuepress/cli"),
        configs=_endings(".vuepress/config", "ts", "js", "mts", "mjs"),
        scripts=("docs:build", "build"),
        command="vuepress build",
        dev_scripts=("docs:dev", "dev"),
        dev="vuepress dev",
        publish=".vuepress/dist",
    ),
    Framework(
        name="angular",
        title="Angular",
        packages=("@angular/core",),
        configs=("angular.json",),
        command="ng build",
        dev_scripts=("start", "dev"),
        dev="ng serve",
        publish="dist",
    ),
    Framework(
        name="cra",
        title="Create React App",
        packages=("react-scripts",),
        command="react-scripts build",
        dev_scripts=("start", "dev"),
        dev="react-scripts start",
        publish="build",
    ),
    Framework(
        name="eleventy",
        title="Eleventy",
        packages=("@11ty/eleventy",),
        configs=(".eleventy.js", *_endings("eleventy.config", "js", "mjs", "cjs", "ts")),
        command="eleventy",
        dev_scripts=("dev", "serve", "start"),
        dev="eleventy --serve",
        publish="_site",
    ),
    Framework(
        name=VITE,
        title="Vite",
        packages=("vite",),
        configs=_endings("vite.config", "ts", "js", "mts", "mjs", "cts", "cjs"),
        command="vite build",
        dev="vite dev",
        publish="dist",
    ),
    Framework(
        name="jekyll",
        title="Jekyll",
        files=("_config.yml", "_config.yaml"),
        configs=("_config.yml", "_config.yaml"),
        scripts=(),
        command="jekyll build",
        dev_scripts=("dev",),
        dev="jekyll serve",
        publish="_site",
    ),
)
