"""What `detect` makes of tiny repositories: one row a framework, one row a package manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.config.detect import detect

Files = Mapping[str, object]
NPM = {"package-lock.json": "{}"}


def repository(root: Path, files: Files) -> Path:
    """Writes the files; what is no text becomes JSON."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def package(*dependencies: str, build: str = "", **more: object) -> dict[str, object]:
    scripts = {"scripts": {"build": build}} if build else {}
    return {"dependencies": dict.fromkeys(dependencies, "^1.0.0"), **scripts, **more}


ANGULAR = {
    "projects": {
        "lib": {"projectType": "library", "architect": {"build": {}}},
        "shop": {
            "projectType": "application",
            "architect": {
                "build": {
                    "builder": "@angular/build:application",
                    "options": {"outputPath": "dist/shop"},
                }
            },
        },
    }
}

FRAMEWORKS: dict[str, tuple[Files, tuple[str, str, str]]] = {
    "vite": (
        {
            "package.json": package("vite", build="vite build"),
            "vite.config.ts": "export default {}",
        },
        ("vite", "npm run build", "dist"),
    ),
    "astro": (
        {"package.json": package("astro", "vite", build="astro check && astro build")},
        ("astro", "npm run build", "dist"),
    ),
    "next static export": (
        {
            "package.json": package("next", "react", build="next build"),
            "next.config.mjs": 'export default { output: "export" };',
        },
        ("next", "npm run build", "out"),
    ),
    "nuxt generate": (
        {
            "package.json": package(
                "nuxt", scripts={"build": "nuxt build", "generate": "nuxt generate"}
            )
        },
        ("nuxt", "npm run generate", ".output/public"),
    ),
    "sveltekit static": (
        {
            "package.json": package(
                "@sveltejs/kit", "@sveltejs/adapter-static", "vite", build="vite build"
            ),
            "svelte.config.js": "export default { kit: { adapter: adapter() } };",
        },
        ("sveltekit", "npm run build", "build"),
    ),
    "gatsby": (
        {"package.json": package("gatsby", "react", build="gatsby build")},
        ("gatsby", "npm run build", "public"),
    ),
    "create react app": (
        {"package.json": package("react-scripts", "react", build="react-scripts build")},
        ("cra", "npm run build", "build"),
    ),
    "docusaurus": (
        {"package.json": package("@docusaurus/core", build="docusaurus build")},
        ("docusaurus", "npm run build", "build"),
    ),
    "eleventy": (
        {"package.json": package("@11ty/eleventy"), ".eleventy.js": "module.exports = () => {};"},
        ("eleventy", "npx eleventy", "_site"),
    ),
    "vitepress": (
        {
            "package.json": package(
                "vitepress", "vite", scripts={"docs:build": "vitepress build docs"}
            ),
            "docs/.vitepress/config.mts": "export default {};",
        },
        ("vitepress", "npm run docs:build", "docs/.vitepress/dist"),
    ),
    "vuepress": (
        {
            "package.json": package("vuepress", build="vuepress build src"),
            "src/.vuepress/config.js": 'module.exports = { dest: "public" };',
        },
        ("vuepress", "npm run build", "public"),
    ),
    "angular": (
        {"package.json": package("@angular/core", build="ng build"), "angular.json": ANGULAR},
        ("angular", "npm run build", "dist/shop/browser"),
    ),
    "hugo": (
        {"hugo.toml": 'baseURL = "/"\n', "content/_index.md": "x"},
        ("hugo", "hugo --gc --minify", "public"),
    ),
    "hugo of old": (
        {"config.yaml": "baseURL: /\npublishDir: out # here\n", "layouts/index.html": "x"},
        ("hugo", "hugo --gc --minify", "out"),
    ),
    "hugo with npm": (
        {"hugo.toml": "", "package.json": package("postcss", build="hugo --destination web")},
        ("hugo", "npm run build", "web"),
    ),
    "jekyll": (
        {"_config.yml": "title: x\n", "Gemfile": 'gem "jekyll"\n'},
        ("jekyll", "bundle exec jekyll build", "_site"),
    ),
    "plain html": ({"index.html": "<h1>x</h1>"}, ("html", "", ".")),
    "plain html in a folder": ({"public/index.html": "x"}, ("html", "", "public")),
    "plain html beside a package.json": (
        {"index.html": "x", "package.json": package("prettier")},
        ("html", "", "."),
    ),
    "a build script of its own": (
        {
            "package.json": package("esbuild", build="esbuild src/a.ts --outdir=web"),
            "index.html": "",
        },
        ("custom", "npm run build", "web"),
    ),
    "hexo is no jekyll": (
        {"package.json": package("hexo", build="hexo generate"), "_config.yml": "title: x\n"},
        ("custom", "npm run build", "dist"),
    ),
    "nothing": ({"README.md": "x"}, ("", "", "")),
}


@pytest.mark.parametrize(("files", "expected"), FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_a_framework_is_known_with_its_command_and_folder(
    tmp_path: Path, files: Files, expected: tuple[str, str, str]
) -> None:
    found = detect(repository(tmp_path, {**files, **NPM}))
    assert (found.framework, found.command, found.publish) == expected
    assert found.problems == ()
    assert found.why["framework"]


OUTPUTS: dict[str, tuple[Files, str]] = {
    "vite, outDir": (
        {
            "package.json": package("vite"),
            "vite.config.ts": "export default {\n build: { // outDir: 'no'\n  outDir: 'web' } }",
        },
        "web",
    ),
    "vite, outDir relative to root": (
        {
            "package.json": package("vite"),
            "vite.config.js": "export default { root: 'src', build: { outDir: '../web' } }",
        },
        "web",
    ),
    "vite, root alone": (
        {"package.json": package("vite"), "vite.config.js": "export default { root: 'app' }"},
        "app/dist",
    ),
    "vite, resolved outDir": (
        {
            "package.json": package("vite"),
            "vite.config.js": "export default { root: 'src', build: {\n"
            "outDir: path.resolve(__dirname, 'web'),\n} }",
        },
        "web",
    ),
    "vite, flag": ({"package.json": package("vite", build="vite build --outDir=web")}, "web"),
    "vite, computed outDir": (
        {
            "package.json": package("vite"),
            "vite.config.js": "export default { build: { outDir: pick() } }",
        },
        "dist",
    ),
    "astro": (
        {
            "package.json": package("astro"),
            "astro.config.mjs": "export default { outDir: './web' }",
        },
        "web",
    ),
    "next, distDir": (
        {
            "package.json": package("next"),
            "next.config.js": "module.exports = { output: 'export', distDir: 'web' }",
        },
        "web",
    ),
    "next export of old": (
        {"package.json": package("next", build="next build && next export")},
        "out",
    ),
    "nuxt 2": (
        {
            "package.json": {"dependencies": {"nuxt": "^2.15.0"}},
            "nuxt.config.js": "export default { generate: { dir: 'web' } }",
        },
        "web",
    ),
    "sveltekit, pages": (
        {
            "package.json": package("@sveltejs/kit", "@sveltejs/adapter-static"),
            "svelte.config.js": "export default { kit: { adapter: adapter({ pages: 'web' }) } }",
        },
        "web",
    ),
    "eleventy, dir.output": (
        {
            "package.json": package("@11ty/eleventy"),
            ".eleventy.js": 'module.exports = () => ({ dir: { input: "src", output: "web" } });',
        },
        "web",
    ),
    "eleventy, setOutputDirectory": (
        {
            "package.json": package("@11ty/eleventy"),
            "eleventy.config.mjs": 'export default (c) => { c.setOutputDirectory("web"); };',
        },
        "web",
    ),
    "vitepress, outDir": (
        {
            "package.json": package("vitepress", build="vitepress build docs"),
            "docs/.vitepress/config.ts": "export default { outDir: '../web' }",
        },
        "web",
    ),
    "angular, base and browser": (
        {
            "package.json": package("@angular/core"),
            "angular.json": """{ // the workspace
                "projects": {"a": {"projectType": "application", "architect": {"build": {
                  "builder": "@angular-devkit/build-angular:application",
                  "options": {"outputPath": {"base": "web", "browser": ""}}}}}}}""",
        },
        "web",
    ),
    "angular, the older builder": (
        {
            "package.json": package("@angular/core"),
            "angular.json": {
                "projects": {
                    "a": {
                        "architect": {
                            "build": {
                                "builder": "@angular-devkit/build-angular:browser",
                                "options": {"outputPath": "web"},
                            }
                        }
                    }
                }
            },
        },
        "web",
    ),
    "docusaurus, flag": (
        {"package.json": package("@docusaurus/core", build="docusaurus build --out-dir web")},
        "web",
    ),
    "hugo, any case": ({"hugo.toml": 'publishdir = "web"\n'}, "web"),
    "jekyll": ({"_config.yml": 'destination: "web"\n'}, "web"),
}


@pytest.mark.parametrize(("files", "folder"), OUTPUTS.values(), ids=OUTPUTS)
def test_the_publish_folder_is_read_from_the_frameworks_configuration(
    tmp_path: Path, files: Files, folder: str
) -> None:
    assert detect(repository(tmp_path, {**files, **NPM})).publish == folder


def test_a_folder_that_only_code_could_tell_is_said_to_be_assumed(tmp_path: Path) -> None:
    files, _ = OUTPUTS["vite, computed outDir"]
    assert "assumed: outDir in vite.config.js" in detect(repository(tmp_path, files)).why["publish"]


MANAGERS: dict[str, tuple[Files, tuple[str, str, str, str]]] = {
    "npm": ({"package-lock.json": ""}, ("npm", "npm ci", "npm run build", "")),
    "npm, shrinkwrap": ({"npm-shrinkwrap.json": ""}, ("npm", "npm ci", "npm run build", "")),
    "pnpm": (
        {"pnpm-lock.yaml": ""},
        ("pnpm", "pnpm install --frozen-lockfile", "pnpm run build", ""),
    ),
    "yarn 1": (
        {"yarn.lock": "# yarn lockfile v1\n"},
        ("yarn", "yarn install --frozen-lockfile", "yarn run build", ""),
    ),
    "yarn 2 and later": (
        {"yarn.lock": "__metadata:\n  version: 8\n"},
        ("yarn", "yarn install --immutable", "yarn run build", ""),
    ),
    "bun": ({"bun.lock": ""}, ("bun", "bun install --frozen-lockfile", "bun run build", "")),
    "bun of old": (
        {"bun.lockb": ""},
        ("bun", "bun install --frozen-lockfile", "bun run build", ""),
    ),
    "packageManager wins": (
        {
            "package.json": package(
                "vite", build="vite build", packageManager="pnpm@9.1.0+sha512.a"
            ),
            "pnpm-lock.yaml": "",
            "package-lock.json": "",
        },
        ("pnpm", "pnpm install --frozen-lockfile", "pnpm run build", "9.1.0"),
    ),
    "packageManager tells the two Yarns apart": (
        {
            "package.json": package("vite", build="vite build", packageManager="yarn@4.5.0"),
            "yarn.lock": "",
        },
        ("yarn", "yarn install --immutable", "yarn run build", "4.5.0"),
    ),
    "no lock file": ({}, ("npm", "npm install --no-package-lock", "npm run build", "")),
    "packageManager without its lock file": (
        {"package.json": package("vite", build="vite build", packageManager="pnpm@9.1.0")},
        ("pnpm", "pnpm install --no-lockfile", "pnpm run build", "9.1.0"),
    ),
}


@pytest.mark.parametrize(("files", "expected"), MANAGERS.values(), ids=MANAGERS)
def test_the_package_manager_follows_package_json_then_the_lock_file(
    tmp_path: Path, files: Files, expected: tuple[str, str, str, str]
) -> None:
    site = repository(
        tmp_path, {"package.json": package("vite", build="vite build"), ".git/HEAD": "", **files}
    )
    found = detect(site)
    version = found.package_manager_version
    assert (found.package_manager, found.install, found.command, version) == expected


def test_a_missing_and_a_surplus_lock_file_are_told(tmp_path: Path) -> None:
    base = {"package.json": package("vite"), ".git/HEAD": ""}
    missing = detect(repository(tmp_path / "a", base)).why["install"]
    both = {**base, "pnpm-lock.yaml": "", "package-lock.json": ""}
    surplus = detect(repository(tmp_path / "b", both)).why["install"]
    assert "no lock file of npm" in missing
    assert surplus == "pnpm-lock.yaml; package-lock.json is not used: remove it"


def test_a_workspaces_lock_file_counts_for_its_sites(tmp_path: Path) -> None:
    repository(
        tmp_path, {"pnpm-lock.yaml": "", ".git/HEAD": "", "sites/a/package.json": package("vite")}
    )
    found = detect(tmp_path / "sites/a")
    assert found.install == "pnpm install --frozen-lockfile"
    assert found.why["install"] == "pnpm-lock.yaml in a folder above"


OBSTACLES: dict[str, tuple[Files, str, str]] = {
    "next without export": (
        {
            "package.json": package("next"),
            "next.config.ts": "// output: 'export'\nexport default {}",
        },
        "next.config.ts",
        "without it Next.js needs a server",
    ),
    "sveltekit with another adapter": (
        {"package.json": package("@sveltejs/kit", "@sveltejs/adapter-auto")},
        "svelte.config.js",
        "no @sveltejs/adapter-static",
    ),
    "astro on a server": (
        {
            "package.json": package("astro"),
            "astro.config.mjs": "export default { output: 'server' }",
        },
        "astro.config.mjs",
        'output: "server"',
    ),
    "a folder outside": (
        {
            "package.json": package("vite"),
            "vite.config.js": "export default { build: { outDir: '../web' } }",
        },
        "vite.config.js",
        "outside the repository",
    ),
    "angular without an application": (
        {"package.json": package("@angular/core"), "angular.json": "{}"},
        "angular.json",
        "no application",
    ),
    "a broken package.json": ({"package.json": "{,}"}, "package.json", "no valid JSON"),
}


@pytest.mark.parametrize(("files", "where", "message"), OBSTACLES.values(), ids=OBSTACLES)
def test_what_keeps_a_site_from_being_static_is_a_named_problem(
    tmp_path: Path, files: Files, where: str, message: str
) -> None:
    (problem,) = detect(repository(tmp_path, files)).problems
    assert problem.where == where
    assert message in problem.message
    assert problem.hint


ROUTED = {"package.json": package("vite", "react-router-dom"), "index.html": "x"}
SPA: dict[str, tuple[Files, bool, str]] = {
    "vite with a router": (ROUTED, True, "react-router-dom"),
    "vite without one": (
        {"package.json": package("vite"), "index.html": "x"},
        False,
        "no client-side",
    ),
    "a second page": ({**ROUTED, "about.html": "x"}, False, "about.html is a page"),
    "a second input": (
        {**ROUTED, "vite.config.js": 'export default { x: { input: ["a/b.html"] } }'},
        False,
        "b.html is a page",
    ),
    "a 404 page": ({**ROUTED, "public/404.html": "x"}, False, "public/404.html answers"),
    "routes behind #": (
        {**ROUTED, "src/main.tsx": "const r = createHashRouter([]);"},
        False,
        "behind #",
    ),
    "prerendered": (
        {"package.json": package("vite", "vue-router", "vite-ssg")},
        False,
        "vite-ssg writes",
    ),
    "create react app": (
        {"package.json": package("react-scripts", "react-router-dom")},
        True,
        "react-router-dom",
    ),
    "angular that routes": (
        {
            "package.json": package("@angular/core", "@angular/router"),
            "angular.json": ANGULAR,
            "src/app/app.config.ts": "providers: [provideRouter(routes)]",
        },
        True,
        "@angular/router",
    ),
    "angular that does not": (
        {"package.json": package("@angular/core", "@angular/router"), "angular.json": ANGULAR},
        False,
        "no client-side router",
    ),
    "sveltekit, fallback": (
        {
            "package.json": package("@sveltejs/kit", "@sveltejs/adapter-static"),
            "svelte.config.js": "export default { a: adapter({ fallback: 'index.html' }) }",
        },
        True,
        "fallback is index.html",
    ),
    "sveltekit, another fallback": (
        {
            "package.json": package("@sveltejs/kit", "@sveltejs/adapter-static"),
            "svelte.config.js": "export default { a: adapter({ fallback: '200.html' }) }",
        },
        False,
        "`/* /200.html 200`",
    ),
    "nuxt in the browser only": (
        {"package.json": package("nuxt"), "nuxt.config.ts": "export default { ssr: false }"},
        True,
        "ssr: false",
    ),
    "astro": ({"package.json": package("astro", "react-router-dom")}, False, "one page a path"),
}


@pytest.mark.parametrize(("files", "spa", "why"), SPA.values(), ids=SPA)
def test_an_spa_fallback_is_only_detected_where_it_hides_no_404(
    tmp_path: Path, files: Files, spa: bool, why: str
) -> None:
    found = detect(repository(tmp_path, files))
    assert found.spa is spa
    assert why in found.why["spa"]


DEFAULT = {"package.json": package("vite", build="tsc -b && vite build"), "index.html": ""}


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        (DEFAULT, "assets"),
        ({"package.json": package("vite")}, "assets"),
        (DEFAULT | {"vite.config.ts": "export default { plugins: [react()] }"}, "assets"),
        (DEFAULT | {"public/assets/logo-original1.png": ""}, ""),
        (DEFAULT | {"vite.config.ts": "export default { publicDir: 'static' }"}, ""),
        (DEFAULT | {"vite.config.ts": "export default { build: { assetsDir: '_' } }"}, ""),
        (DEFAULT | {"vite.config.js": "output: { entryFileNames: '[name].js' }"}, ""),
        (DEFAULT | {"vite.config.ts": "export default { plugins: [viteStaticCopy({})] }"}, ""),
        (DEFAULT | {"vite.config.ts": "export default { root: 'app' }"}, ""),
        ({"package.json": package("vite", build="vite build && cp -r more dist/assets")}, ""),
        ({"package.json": package("vite", build="vite build --assetsDir x")}, ""),
        ({"package.json": package("vite", scripts={"build": "vite build", "postbuild": "x"})}, ""),
        ({"package.json": package("parcel", build="parcel build index.html")}, ""),
    ],
)
def test_hashed_names_are_believed_where_only_vite_can_have_written_them(
    tmp_path: Path, files: Files, folder: str
) -> None:
    assert detect(repository(tmp_path, files)).hashed == folder
